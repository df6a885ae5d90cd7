"""The flow player: particles, predictions and curves of a solve on one clock in the browser."""

from ddeq.view.player.export import export_html
from ddeq.view.player.format import (
    Curve,
    Looked,
    Trajectory,
    decode,
    encode,
    encode_chunk,
    encode_header,
)

__all__ = [
    "Curve",
    "Looked",
    "Trajectory",
    "decode",
    "encode",
    "encode_chunk",
    "encode_header",
    "export_html",
]
