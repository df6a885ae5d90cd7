"""The flow player: particles, predictions and curves of a solve on one clock in the browser."""

from ddeq.run.format import (
    Curve,
    Looked,
    Trajectory,
    decode,
    encode,
    encode_chunk,
    encode_header,
)
from ddeq.view.player.export import export_html

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
