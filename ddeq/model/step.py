"""One evaluation of ``F(., x)`` with its vector-Jacobian product, as a step of a flow asks for it.

The layers of :mod:`ddeq.model.operator`, each with its way back beside it. Training differentiates
those; a solve with fixed weights asks these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from ddeq.model.operator import Context, EncoderLayer, FeedForward, Operator
from ddeq.model.vjp import MLP, Affine, Norm, Pull, attend, gated_


class Step:
    """``z -> F(z, x)`` and ``J_F^T``, for input clouds that are encoded already.

    What is the same at every step of a solve is laid out once, as steps read it.

    Args:
        operator: its parameters must not change meanwhile.
        context: of the clouds.
        mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
    """

    @torch.no_grad()
    def __init__(self, operator: Operator, context: Context, mask: Tensor | None = None) -> None:
        layers = cast(list[EncoderLayer], [*operator.cross_encoder])
        keep = context.dropout or (None,) * (len(layers) + 2)
        hidden = None if context.mask is None else ~context.mask  # (B, 1, 1, M)
        self.meet = _Meet(operator, context)
        self.layers: list[_Itself | _Across | _Feed] = [
            _Itself(operator.self_encoder, keep[0], context, mask)
        ]
        for i, layer in enumerate(layers):
            keys, values = context.keys[i], context.values[i]
            self.layers.append(_Across(layer, keep[i + 1], keys, values, hidden))
        self.layers.append(_Feed(operator.feed_forward, keep[-1]))
        out = operator.particle_out
        self.out = None if out is None else Affine.of(out)

    @torch.no_grad()
    def __call__(self, z: Tensor) -> tuple[Tensor, Pull]:
        """``F(z) (B, N, d)`` of particles ``z (B, N, d)``, and ``g -> J_F(z)^T g`` likewise."""
        clouds, count, _ = z.shape
        t, first = self.meet(z)  # (B N, d)
        pulls = [first]
        for layer in self.layers:
            t, pull_layer = layer(t, clouds)
            pulls.append(pull_layer)
        t = t if self.out is None else self.out(t)

        @torch.no_grad()
        def pull(g: Tensor) -> Tensor:
            g = g.reshape(clouds * count, -1)
            g = g if self.out is None else g @ self.out.weight
            for back in reversed(pulls):
                g = back(g)
            return g.view_as(z)

        return t.view_as(z), pull


class _Meet:
    """The stages in which every particle meets the input's summary, alone."""

    def __init__(self, o: Operator, context: Context) -> None:
        self.enter, self.enter_norm = MLP(o.particle_in), Norm(o.particle_in_norm)
        self.form, self.bias = context.bilinear.detach(), o.bilinear.bias.detach()
        self.form_norm, self.norm = Norm(o.bilinear.norm), Norm(o.bilinear_norm)
        self.up, self.up_norm = MLP(o.particle_up), Norm(o.particle_up_norm)
        self.skip = None if o.particle_skip is None else Affine.of(o.particle_skip)
        self.skip_norm = Norm(o.skip_norm)

    def __call__(self, z: Tensor) -> tuple[Tensor, Pull]:
        """``z (B, N, p) -> (B N, d)``."""
        clouds, skip = len(z), self.skip
        t = z.detach().reshape(clouds * z.shape[1], -1)
        z1, pull_enter = self.enter(t)
        z1, pull_enter_norm = self.enter_norm(z1)  # (B N, h)
        formed = torch.baddbmm(self.bias, z1.view(clouds, -1, z1.shape[1]), self.form)
        met, pull_form_norm = self.form_norm(formed.view_as(z1))
        z2, pull_norm = self.norm(z1 + met.relu_())  # (B N, h)
        z3, pull_up = self.up(z2)
        z3, pull_up_norm = self.up_norm(z3)  # (B N, d)
        z4, pull_skip_norm = self.skip_norm(z3.add_(t if skip is None else skip(t)))

        def pull(g: Tensor) -> Tensor:
            skipped = pull_skip_norm(g)  # (B N, d)
            g = pull_norm(pull_up(pull_up_norm(skipped)))  # (B N, h)
            back = pull_form_norm(gated_(g.clone(), met))
            back = torch.bmm(back.view(clouds, -1, back.shape[1]), self.form.mT)
            g = pull_enter(pull_enter_norm(g.add_(back.view_as(g))))
            return g.add_(skipped if skip is None else skipped @ skip.weight)

        return z4, pull


class _Feed:
    """``LN(t + W2 ReLU(W1 t))`` of ``t (B N, d)``, with dropout ``keep (B, 1, 4 d)``."""

    def __init__(self, layer: FeedForward, keep: Tensor | None) -> None:
        self.rise, self.fall = Affine.of(layer.rise), Affine.of(layer.fall)
        self.norm, self.keep = Norm(layer.norm), keep

    def __call__(self, t: Tensor, clouds: int) -> tuple[Tensor, Pull]:
        """``t (B N, d)``, of so many clouds."""
        hidden = self._kept(self.rise(t).relu_(), clouds)
        value, pull_norm = self.norm(self.fall(hidden).add_(t))

        def pull(g: Tensor) -> Tensor:
            g = pull_norm(g)
            risen = self._kept(gated_(g @ self.fall.weight, hidden), clouds)
            return torch.addmm(g, risen, self.rise.weight)

        return value, pull

    def _kept(self, hidden: Tensor, clouds: int) -> Tensor:
        if self.keep is None:
            return hidden
        return (hidden.view(clouds, -1, hidden.shape[1]) * self.keep).view_as(hidden)


class _Layer:
    """What encoder layers make of what points have seen; subclasses say what that is."""

    def __init__(self, layer: EncoderLayer, keep: Tensor | None) -> None:
        self.heads = layer.attention.heads
        self.out, self.norm = Affine.of(layer.attention.out), Norm(layer.norm)
        self.feed = _Feed(layer.feed_forward, keep)

    def after(
        self, t: Tensor, seen: Tensor, clouds: int
    ) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor]]]:
        """``t (B N, d)`` after the layer, of what they have ``seen (B heads, N, e)``.

        Its pull tells the gradient in ``t`` apart from that in what was seen.
        """
        seen = seen.unflatten(0, (clouds, -1)).transpose(1, 2).reshape(t.shape)
        t, pull_norm = self.norm(self.out(seen).add_(t))
        t, pull_feed = self.feed(t, clouds)

        def pull(g: Tensor) -> tuple[Tensor, Tensor]:
            g = pull_norm(pull_feed(g))
            return g, self.grouped(g @ self.out.weight, clouds)

        return t, pull

    def grouped(self, t: Tensor, clouds: int) -> Tensor:
        """``(B N, d) -> (B heads, N, e)``."""
        split = t.view(clouds, -1, self.heads, t.shape[1] // self.heads)
        return split.transpose(1, 2).flatten(0, 1)


class _Across(_Layer):
    """A layer in which particles attend to what is fixed: the input's keys and values."""

    def __init__(
        self,
        layer: EncoderLayer,
        keep: Tensor | None,
        keys: Tensor,
        values: Tensor,
        hidden: Tensor | None,
    ) -> None:
        super().__init__(layer, keep)
        self.query, self.hidden = Affine.of(layer.attention.query), hidden
        self.keys, self.values = _laid_out(keys), _laid_out(values)  # (B heads, M, e)

    def __call__(self, t: Tensor, clouds: int) -> tuple[Tensor, Pull]:
        """``t (B N, d)``, of so many clouds."""
        query = self.grouped(self.query(t), clouds)
        seen = attend(query, self.keys, self.values, self.hidden)
        after, pull_after = self.after(t, seen.value, clouds)

        def pull(g: Tensor) -> Tensor:
            g, of_seen = pull_after(g)
            of_query = seen.pull(of_seen).unflatten(0, (clouds, -1)).transpose(1, 2)
            return torch.addmm(g, of_query.reshape(g.shape), self.query.weight)

        return after, pull


class _Itself(_Layer):
    """A layer in which particles attend to each other, and to those that are known.

    Queries, keys and values are one projection.
    """

    def __init__(
        self, layer: EncoderLayer, keep: Tensor | None, context: Context, mask: Tensor | None
    ) -> None:
        super().__init__(layer, keep)
        known = context.known
        self.project = Affine.of(layer.attention.query, layer.attention.key_value)  # (3 d, d)
        self.known = None if known is None else (_laid_out(known.keys), _laid_out(known.values))
        self.known_mask = None if known is None else known.mask
        self.mask = mask

    def __call__(self, t: Tensor, clouds: int) -> tuple[Tensor, Pull]:
        """``t (B N, d)``, of so many clouds."""
        count = len(t) // clouds
        wide = self.project(t).view(clouds, count, 3, self.heads, -1)
        query, keys, values = wide.permute(2, 0, 3, 1, 4).flatten(1, 2)  # (B heads, N, e) each
        if self.known is not None:
            keys = torch.cat([self.known[0], keys], 1)
            values = torch.cat([self.known[1], values], 1)
        seen = attend(query, keys, values, self._hidden(clouds, count, keys.shape[1] - count))
        after, pull_after = self.after(t, seen.value, clouds)

        def pull(g: Tensor) -> Tensor:
            g, of_seen = pull_after(g)
            wide = torch.stack(seen.pull_all(of_seen, count)).unflatten(1, (clouds, -1))
            wide = wide.permute(1, 3, 0, 2, 4).reshape(len(g), -1)  # (B N, 3 d)
            return torch.addmm(g, wide, self.project.weight)

        return after, pull

    def _hidden(self, clouds: int, free: int, known: int) -> Tensor | None:
        """Which of the particles, known ones first, are padding: ``(B, 1, 1, K + N)``."""
        if self.mask is None and self.known_mask is None:
            return None
        every = self.project.bias.new_ones(clouds, 1, dtype=torch.bool)
        parts = ((self.known_mask, known), (self.mask, free))
        seen = [every.expand(-1, count) if mask is None else mask for mask, count in parts]
        return ~torch.cat(seen, 1)[:, None, None, :]


def _laid_out(t: Tensor) -> Tensor:
    """``(B, heads, M, e) -> (B heads, M, e)``, as products with few columns are fast."""
    return t.detach().flatten(0, 1).mT.contiguous().mT
