"""What answers questions about slices; handed in with the application's parts."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.cutover.adopt import Adopting
from gateway.cutover.board import Board
from gateway.cutover.slice_gates import SliceGates


@dataclass(frozen=True, slots=True)
class SliceParts:
    """The board, the gates of slices, and the desk at which batches are adopted."""

    board: Board
    gates: SliceGates
    adopting: Adopting
