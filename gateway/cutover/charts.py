"""Bar charts as inline SVG: no script, no font and no picture from elsewhere, readable in black and white.

Every chart has a title and a description for those who do not see it, and its numbers stand in a table beside it.
Source: https://www.w3.org/TR/SVG2/struct.html (title, desc), WAI-ARIA `img`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Final, NamedTuple

MOST_BARS: Final = 20
"""Bars of one chart; what is smaller stands in the table alone."""

_SVG: Final = "http://www.w3.org/2000/svg"
_WIDTH: Final = 720
_LABELS: Final = 260
"""Width that the labels take, at its left."""
_VALUES: Final = 150
"""Width that the numbers take, at its right."""
_ROW: Final = 22
_LONGEST_LABEL: Final = 36


class Bar(NamedTuple):
    """One bar. `told`: its number for people. `second`: a thinner bar beneath it, such as what is in force."""

    label: str
    value: Decimal
    told: str
    second: Decimal | None = None


def bar_chart(
    name: str, title: str, description: str, bars: Sequence[Bar], *, limit: Decimal | None = None, limit_told: str = ""
) -> str:
    """An `<svg>` element of horizontal bars, all to the same scale. `name`: an id that the page has only once.
    `limit`: a line across all of them."""
    shown = bars[:MOST_BARS]
    scale = max([Decimal(1), *(max(one.value, one.second or Decimal(0)) for one in shown), limit or Decimal(0)])
    room = _WIDTH - _LABELS - _VALUES
    height = len(shown) * _ROW + (24 if limit is not None else 8)
    names = f"{name}-title {name}-desc"
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{names}" xmlns="{_SVG}">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(description)}</desc>',
    ]
    for at, one in enumerate(shown):
        parts += _bar(one, at * _ROW + 4, room, scale)
    if limit is not None:
        x = _LABELS + _length(limit, scale, room)
        below = len(shown) * _ROW + 2
        parts.append(f'<line class="limit" x1="{x}" y1="0" x2="{x}" y2="{below}"/>')
        parts.append(f'<text x="{x}" y="{below + 14}" text-anchor="middle">{escape(limit_told)}</text>')
    return "\n".join([*parts, "</svg>"])


def _bar(one: Bar, y: int, room: int, scale: Decimal) -> list[str]:
    length = _length(one.value, scale, room)
    thick = 15 if one.second is None else 9
    label = one.label if len(one.label) <= _LONGEST_LABEL else f"{one.label[: _LONGEST_LABEL - 1]}…"
    parts = [
        f'<text x="{_LABELS - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>',
        f'<rect class="bar" x="{_LABELS}" y="{y}" width="{length}" height="{thick}"/>',
    ]
    if one.second is not None:
        second = _length(one.second, scale, room)
        parts.append(f'<rect class="second" x="{_LABELS}" y="{y + 10}" width="{second}" height="6"/>')
        length = max(length, second)
    parts.append(f'<text x="{_LABELS + length + 6}" y="{y + 12}">{escape(one.told)}</text>')
    return parts


def _length(value: Decimal, scale: Decimal, room: int) -> int:
    """Pixels; what is not nothing is seen."""
    if value <= 0:
        return 0
    return max(1, int(value * room / scale))
