"""The operator ``F_theta(z, x)``: encode the input cloud once, then apply to particles many times.

Source: paper, section 3.3 and appendix; configuration and parameter counts in ``OperatorConfig``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddeq.model.tokens import TokenConfig, TokenEncoder
from ddeq.threads import enough_for

_FUSED_UP_TO = 8  # clouds at a time


@dataclass(frozen=True)
class OperatorConfig:
    """Sizes of the operator; the defaults are the paper's digit classifier.

    Attributes:
        input_dim: ``d_x``, 2 or 3.
        latent_dim: ``d``, width of the attention layers and, unless ``particle_dim`` says
            otherwise, of particles.
        hidden_dim: width in which particles and input first meet (the bilinear stage).
        heads: attention heads; must divide ``latent_dim``.
        cross_layers: cross-attention layers ``L``.
        dropout: rate on the feed-forward layers' hidden units, in training.
        tokens: the input is seen as tokens with local geometry; None, the paper's way, sees each
            point alone.
        particle_dim: ``p``, dimension of particles that flow in a space of their own, such as that
            of the data. ``F`` then says where they belong, wherever they come from: what is added
            to where they are would add up along a solve.
    """

    input_dim: int = 2
    latent_dim: int = 128
    hidden_dim: int = 16
    heads: int = 32
    cross_layers: int = 1
    dropout: float = 0.1
    tokens: TokenConfig | None = None
    particle_dim: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.tokens, dict):  # out of a recipe or a model card
            object.__setattr__(self, "tokens", TokenConfig(**self.tokens))
        sizes = (self.input_dim, self.latent_dim, self.hidden_dim, self.heads, self.particle_width)
        if any(not isinstance(n, int) or n < 1 for n in (*sizes, self.cross_layers)):
            raise ValueError("The sizes of an operator are whole numbers from 1.")
        if self.cross_layers > 100:
            raise ValueError("An operator has at most 100 cross-attention layers.")
        if self.latent_dim % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.latent_dim}.")

    @property
    def particle_width(self) -> int:
        """The dimension of particles."""
        return self.latent_dim if self.particle_dim is None else self.particle_dim


@dataclass(frozen=True)
class Known:
    """Particles that never move, as the free ones see them in the self-attention.

    Attributes:
        keys, values: ``(B, heads, K, d/heads)``.
        mask: ``(B, K)`` bool, True where valid; None if all are.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor | None

    def only(self, clouds: Tensor) -> Known:
        """Of the clouds ``(b,)`` of these indices alone."""
        mask = None if self.mask is None else self.mask[clouds]
        return Known(self.keys[clouds], self.values[clouds], mask)


@dataclass(frozen=True)
class Context:
    """Everything about the input cloud that ``F(., x)`` needs, fixed during one solve.

    Attributes:
        bilinear: ``(B, h, h)``, the bilinear form with the input's summary already applied.
        keys, values: per cross layer ``(B, heads, M, d/heads)``.
        mask: ``(B, 1, 1, M)`` bool, True where an input point is valid; None if all are.
        dropout: per feed-forward layer ``(B, 1, 4d)``, or empty. Drawn once per solve: a mask
            redrawn at every step would leave nothing to converge to.
        known: the known points of a completion, see :meth:`Operator.beside`; None without any.
    """

    bilinear: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    mask: Tensor | None
    dropout: tuple[Tensor, ...] = ()
    known: Known | None = None

    def only(self, clouds: Tensor) -> Context:
        """Of the clouds ``(b,)`` of these indices alone."""
        return Context(
            self.bilinear[clouds],
            tuple(keys[clouds] for keys in self.keys),
            tuple(values[clouds] for values in self.values),
            None if self.mask is None else self.mask[clouds],
            tuple(keep[clouds] for keep in self.dropout),
            None if self.known is None else self.known.only(clouds),
        )


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """``Linear, ReLU, Linear``, applied per point."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


class Attention(nn.Module):
    """Multi-head attention whose keys and values can be computed ahead of its queries."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        bound = math.sqrt(6 / (4 * width))  # Xavier for one (3 width, width) matrix, as torch does
        for projection in (self.query, self.key_value):
            nn.init.uniform_(projection.weight, -bound, bound)
            nn.init.zeros_(projection.bias)
        nn.init.zeros_(self.out.bias)

    def _split(self, t: Tensor) -> Tensor:
        return t.unflatten(-1, (self.heads, -1)).transpose(
            1, 2
        )  # (B, n, d) -> (B, heads, n, d/heads)

    def project(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of ``source (B, M, d)``, each ``(B, heads, M, d/heads)``."""
        keys, values = self.key_value(source).chunk(2, dim=-1)
        return self._split(keys), self._split(values)

    def ask(self, t: Tensor) -> Tensor:
        """Queries of ``t (B, N, d)``, ``(B, heads, N, d/heads)``: by keys they are the scores."""
        query = self._split(self.query(t))
        # Scaling the queries touches far fewer numbers than scaling the scores.
        return query / math.sqrt(query.shape[-1])

    def forward(
        self, t: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, fused: bool
    ) -> Tensor:
        """Attend from ``t (B, N, d)``; ``mask`` broadcasts to ``(B, heads, N, M)``.

        The fused kernel saves memory and time on large clouds; the plain operations can be
        differentiated twice, which unrolling a gradient flow needs.
        """
        if not fused:
            scores = self.ask(t) @ keys.transpose(-1, -2)
            if mask is not None:
                scores = scores.masked_fill(~mask, -math.inf)
            mixed = scores.softmax(-1) @ values  # (B, heads, N, d/heads)
        else:
            query = self._split(self.query(t))  # (B, heads, N, d/heads)
            mixed = F.scaled_dot_product_attention(query, keys, values, mask)
        return self.out(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """``LN(t + W2 ReLU(W1 t))`` with a hidden width of four times the model's."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.rise = nn.Linear(width, 4 * width)
        self.fall = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = dropout

    def forward(self, t: Tensor, keep: Tensor | None = None) -> Tensor:
        """``t (B, n, d)``; ``keep (B, 1, 4d)`` from :meth:`draw_dropout`."""
        hidden = self.rise(t).relu_()
        if keep is not None:
            hidden = hidden * keep
        return self.norm(t + self.fall(hidden))

    def draw_dropout(self, like: Tensor) -> Tensor:
        """One dropout mask per cloud, shared by its points, so equivariance holds: (B, 1, 4d)."""
        ones = like.new_ones(like.shape[0], 1, self.rise.out_features)
        return F.dropout(ones, self.dropout)


class EncoderLayer(nn.Module):
    """``t <- LN(t + Attention(t, s, s))``, then the feed-forward layer."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, dropout)

    def forward(
        self,
        t: Tensor,
        keys: Tensor,
        values: Tensor,
        mask: Tensor | None,
        keep: Tensor | None,
        fused: bool,
    ) -> Tensor:
        t = self.norm(t + self.attention(t, keys, values, mask, fused))
        return self.feed_forward(t, keep)


class BilinearSummary(nn.Module):
    """``b_n = ReLU(LN(z_n . A . s + bias))``: every particle meets the sum of the input points."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width, width))  # (in, out, s)
        self.bias = nn.Parameter(torch.randn(width))
        self.norm = nn.LayerNorm(width)

    def at(self, summary: Tensor) -> Tensor:
        """The form at a summary ``s (B, h)``: ``(B, in, out)``."""
        return torch.einsum("ios,bs->bio", self.weight, summary)

    def forward(self, z: Tensor, form: Tensor) -> Tensor:
        return F.relu(self.norm(z @ form + self.bias))  # (B, N, h) @ (B, h, h)


class Operator(nn.Module):
    """``F_theta``: equivariant in the particles, invariant in the input points.

    ``encode`` does all that depends on the input cloud alone; ``forward`` is one evaluation of
    ``F``. Both are exact under padding: masked points never change a result.
    """

    def __init__(self, config: OperatorConfig) -> None:
        super().__init__()
        self.config = config
        h, d = config.hidden_dim, config.latent_dim
        layer = (d, config.heads, config.dropout)
        p = config.particle_width
        self.particle_in, self.particle_in_norm = mlp(p, h, h), nn.LayerNorm(h)
        self.tokens = TokenEncoder(config.input_dim, config.tokens) if config.tokens else None
        seen = config.tokens.widths[-1] + config.input_dim if config.tokens else config.input_dim
        self.input_in, self.input_in_norm = mlp(seen, h, h), nn.LayerNorm(h)
        self.bilinear, self.bilinear_norm = BilinearSummary(h), nn.LayerNorm(h)
        self.particle_up, self.particle_up_norm = mlp(h, d, d), nn.LayerNorm(d)
        # Tokens are wide already: the narrow way would take most of what they know.
        self.input_up = mlp(seen if config.tokens else h, d, d)
        self.input_up_norm = nn.LayerNorm(d)
        self.skip_norm = nn.LayerNorm(d)
        self.input_encoder = EncoderLayer(*layer)
        self.self_encoder = EncoderLayer(*layer)
        self.cross_encoder = nn.ModuleList(EncoderLayer(*layer) for _ in range(config.cross_layers))
        self.feed_forward = FeedForward(d, config.dropout)
        self.particle_skip: nn.Linear | None = None
        self.particle_out: nn.Linear | None = None
        if config.particle_dim is not None:
            self.particle_skip, self.particle_out = nn.Linear(p, d), nn.Linear(d, p)

    def encode(self, x: Tensor, mask: Tensor | None = None) -> Context:
        """Everything the flow needs of the input; call once per solve.

        Args:
            x: input points ``(B, M, d_x)``.
            mask: ``(B, M)`` bool, True where a point is valid; None if all are.
        """
        with enough_for(x.shape[0] * x.shape[1]):
            return self._encode(x, mask)

    def _encode(self, x: Tensor, mask: Tensor | None) -> Context:
        drops = self.training and self.config.dropout > 0
        if self.tokens is not None:
            tokens = self.tokens(x, mask)
            x, mask = torch.cat([tokens.features, tokens.centres], 2), tokens.mask
        wide = None if mask is None else mask[:, None, None, :]  # (B, 1, 1, M)
        x1 = self.input_in_norm(self.input_in(x))  # (B, M, h)
        summary = (x1 if mask is None else x1 * mask[..., None]).sum(1)  # (B, h)
        x2 = self.input_up_norm(self.input_up(x if self.tokens is not None else x1))  # (B, M, d)
        encoder = self.input_encoder
        keep = encoder.feed_forward.draw_dropout(x2) if drops else None
        x3 = encoder(x2, *encoder.attention.project(x2), wide, keep, fused=True)  # (B, M, d)
        # Laid out once as every step reads them.
        cross_encoder = cast(list[EncoderLayer], [*self.cross_encoder])
        projected = [
            tuple(t.contiguous() for t in layer.attention.project(x3)) for layer in cross_encoder
        ]
        keys, values = zip(*projected, strict=True) if projected else ((), ())
        layers = [self.self_encoder, *cross_encoder]
        feed_forwards = [*(layer.feed_forward for layer in layers), self.feed_forward]
        dropout = tuple(f.draw_dropout(x2) for f in feed_forwards) if drops else ()
        return Context(self.bilinear.at(summary), keys, values, wide, dropout)

    def apart(
        self, context: Context, twice: bool = True
    ) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
        """``F(., x)`` as a function ``F(z, *inputs)`` of all that has gradients, and these inputs.

        They are what is known of the input cloud, and the operator's own parameters.
        """
        layers = len(context.keys)

        def function(z: Tensor, bilinear: Tensor, *others: Tensor) -> Tensor:
            keys, values = others[:layers], others[layers : 2 * layers]
            own = replace(context, bilinear=bilinear, keys=keys, values=values)
            return self(z, own, twice=twice)

        return function, (context.bilinear, *context.keys, *context.values, *self.parameters())

    def beside(self, known: Tensor, context: Context, mask: Tensor | None = None) -> Context:
        """The context with known particles that free ones attend to; call once per solve.

        ``F`` returns known particles unchanged, and every layer leaves their rows as they came in
        (paper, section 4.2). What the free particles see of them is therefore the same at every
        step, and only the free ones need to flow.

        Args:
            known: known particles, lifted, ``(B, K, d)``.
            context: of the input.
            mask: ``(B, K)`` bool, True where a known particle is valid; None if all are.
        """
        keys, values = self.self_encoder.attention.project(self._meet(known, context))
        return replace(context, known=Known(keys, values, mask))

    def _meet(self, z: Tensor, context: Context) -> Tensor:
        """The stages in which every particle meets the input's summary, alone: ``(B, N, d)``."""
        z1 = self.particle_in_norm(self.particle_in(z))  # (B, N, h)
        z2 = self.bilinear_norm(z1 + self.bilinear(z1, context.bilinear))  # (B, N, h)
        z3 = self.particle_up_norm(self.particle_up(z2))  # (B, N, d)
        skipped = z if self.particle_skip is None else self.particle_skip(z)
        return self.skip_norm(z3 + skipped)  # (B, N, d)

    def forward(
        self, z: Tensor, context: Context, mask: Tensor | None = None, twice: bool = True
    ) -> Tensor:
        """``F(z, x)`` of the free particles.

        Args:
            z: particles ``(B, N, d)``, or ``(B, N, p)``.
            context: of the input, from :meth:`encode`.
            mask: ``(B, N)`` bool, True where a particle is valid; None if all are.
            twice: whether a gradient may itself be differentiated; without, memory does not grow
                with the particles' square where clouds are few, and a thousand particles take half
                the time.

        Returns:
            As ``z``.
        """
        keep = iter(context.dropout) if context.dropout else iter([None] * (len(context.keys) + 2))
        # The fused kernel also differentiates keys and values, which nobody asks for here, and in
        # larger batches that costs more than it saves.
        fused = not (torch.is_grad_enabled() and (twice or len(z) > _FUSED_UP_TO))
        z4 = self._meet(z, context)
        keys, values = self.self_encoder.attention.project(z4)
        t = self.self_encoder(z4, *_joined(keys, values, mask, context.known), next(keep), fused)
        for layer, keys, values in zip(
            self.cross_encoder, context.keys, context.values, strict=True
        ):
            t = layer(t, keys, values, context.mask, next(keep), fused)
        t = self.feed_forward(t, next(keep))  # (B, N, d)
        return t if self.particle_out is None else self.particle_out(t)

    def queries(self, z: Tensor, context: Context, mask: Tensor | None = None) -> Tensor:
        """With what particles look at the input when ``F`` is applied, without dropout.

        Args:
            z: particles ``(B, N, d)``, or ``(B, N, p)``.
            context: of the input, or of one input for all ``B``.
            mask: ``(B, N)`` bool, True where a particle is valid; None if all are.

        Returns:
            ``(B, L heads, N, d/heads)``, cross layer after cross layer; none of no layers.
        """
        z4 = self._meet(z, context)
        keys, values = self.self_encoder.attention.project(z4)
        t = self.self_encoder(z4, *_joined(keys, values, mask, context.known), None, fused=False)
        asked = [z4.new_empty(len(z4), 0, z4.shape[1], z4.shape[2] // self.config.heads)]
        cross_encoder = cast(list[EncoderLayer], [*self.cross_encoder])
        for layer, keys, values in zip(cross_encoder, context.keys, context.values, strict=True):
            asked.append(layer.attention.ask(t))
            t = layer(t, keys, values, context.mask, None, fused=False)
        return torch.cat(asked, 1)


def _joined(
    keys: Tensor, values: Tensor, mask: Tensor | None, known: Known | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Keys, values and ``(B, 1, 1, K + N)`` mask of the known particles, then the free ones."""
    if known is None:
        return keys, values, None if mask is None else mask[:, None, None, :]
    seen = None
    if mask is not None or known.mask is not None:
        ones = keys.new_ones(len(keys), 1, dtype=torch.bool)
        of_free = ones.expand(-1, keys.shape[2]) if mask is None else mask
        of_known = ones.expand(-1, known.keys.shape[2]) if known.mask is None else known.mask
        seen = torch.cat([of_known, of_free], 1)[:, None, None, :]
    return torch.cat([known.keys, keys], 2), torch.cat([known.values, values], 2), seen
