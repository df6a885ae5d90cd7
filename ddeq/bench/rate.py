"""How much of what a processor can do for matrices is used: operations counted, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

from ddeq.bench.timing import milliseconds
from ddeq.solve.clock import wait

_aten = torch.ops.aten
SIDE = 1024  # of the matrices whose product tells the rate


def matmul_rate(device: torch.device | str = "cpu", repeats: int = 20) -> float:
    """Operations a second in the product of two large float32 matrices, the best of several."""
    a, b = torch.randn(2, SIDE, SIDE, device=device)

    def product() -> None:
        torch.mm(a, b)
        wait(device)

    product()  # warm up
    return 2 * SIDE**3 / (1e-3 * min(milliseconds(product) for _ in range(repeats)))


def matmul_operations(work: Callable[[], object]) -> int:
    """Floating-point operations of all matrix products and attention that ``work`` does.

    The formulas are those of ``torch.utils.flop_counter``; ``FlopCounterMode`` itself tracks
    modules, too, which ``autograd.grad`` does not allow.
    """
    with _Counter() as counter:
        work()
    return counter.operations


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.operations = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        kind = func._overloadpacket
        if kind in flop_registry:
            self.operations += flop_registry[kind](*args, **(kwargs or {}), out_val=result)
        elif kind in _ON_CPU:
            self.operations += _ON_CPU[kind](*args)
        return result


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: object) -> int:
    return sdpa_flop_count(query.shape, key.shape, value.shape)


def _attention_backward(
    grad: torch.Tensor, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: object
) -> int:
    return sdpa_backward_flop_count(grad.shape, query.shape, key.shape, value.shape)


_ON_CPU: dict[Any, Callable[..., int]] = {  # torch has no formulas for these
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    _aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
