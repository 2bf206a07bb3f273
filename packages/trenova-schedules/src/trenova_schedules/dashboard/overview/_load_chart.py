"""The load as stacked bars, drawn by the server; each task queue has a pattern of its own as well as a colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trenova_schedules.dashboard.overview._load import Load, Slot

WIDTH: Final = 960
HEIGHT: Final = 180
"""Of the fullest bar."""
_GAP: Final = 4
_SMALLEST: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The fires of one task queue in one bar.

    Attributes:
        look: Number of the task queue, from 0: which colour and pattern.
        y: Its upper edge.
        height: Its height.
    """

    look: int
    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class LoadBar:
    """One part of the time ahead.

    Attributes:
        x: Its left edge.
        width: Its width.
        slot: What it shows.
        pieces: From below.
    """

    x: float
    width: float
    slot: Slot
    pieces: Sequence[Piece]


def bars_of(load: Load) -> list[LoadBar]:
    """Draw a load; the fullest bar has the whole height."""
    step = WIDTH / len(load.slots)
    top = max(load.busiest.total, 1)
    looks = {queue: number for number, queue in enumerate(load.queues)}
    return [
        LoadBar(
            x=round(number * step + _GAP / 2, 1),
            width=round(step - _GAP, 1),
            slot=slot,
            pieces=_pieces(slot, top, looks),
        )
        for number, slot in enumerate(load.slots)
    ]


def _pieces(slot: Slot, top: int, looks: dict[str, int]) -> list[Piece]:
    found, y = [], float(HEIGHT)
    for queue, count in slot.counts.items():
        height = max(round(count / top * HEIGHT, 1), _SMALLEST)
        y = max(round(y - height, 1), 0.0)
        found.append(Piece(look=looks[queue], y=y, height=height))
    return found
