"""A timeline as inline SVG: a row for each trace, its entries from left to right in the order of the log. Pure.

Steps of one transaction lie microseconds apart and those of a lineage months, so places are by order and not by time;
the time is written where a day or a trace begins, and on each mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from gateway.domain.wire import instant

MOST_MARKS: Final = 400
"""Entries of one drawing; a longer one is cut, and says so."""
MOST_NAME: Final = 36
"""Characters that stand beside a lane; tables have the whole name."""

_STEP, _ROW, _LEFT, _TOP, _BOTTOM = 26, 34, 230, 92, 16
_COLOURS: Final = {
    "posted": "#1b7f3b", "compensated": "#1b7f3b", "rejected": "#b3261e", "in_doubt": "#b3261e", "unknown": "#c77700",
    "held": "#c77700", "waiting": "#c77700", "erased": "#555555", "routed": "#2b5fb4", "activated": "#2b5fb4",
}  # fmt: skip
_PLAIN: Final = "#7a8699"


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry. `at` in µs."""

    trace: str
    kind: str
    at: int
    log_index: int


def timeline(marks: Sequence[Mark], title: str, names: Mapping[str, str]) -> str:
    """An `<svg>`; texts are escaped. Nothing for no marks. `names`: what stands below a trace's id, by trace."""
    shown = list(marks[:MOST_MARKS])
    if not shown:
        return ""
    rows = {trace: number for number, trace in enumerate(dict.fromkeys(one.trace for one in shown))}
    width = _LEFT + _STEP * len(shown) + 40
    height = _TOP + _ROW * len(rows) + _BOTTOM
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}"><title>{escape(title)}</title>'
        )
    ]
    for trace, row in rows.items():
        y = _TOP + _ROW * row + _ROW // 2
        own = [column for column, one in enumerate(shown) if one.trace == trace]
        parts.append(f'<text x="4" y="{y + 4}" class="m">{escape(trace)}</text>')
        if trace in names:
            parts.append(f'<text x="4" y="{y + 16}" class="d">{escape(_short(names[trace]))}</text>')
        parts.append(
            f'<line x1="{_x(own[0])}" y1="{y}" x2="{_x(own[-1])}" y2="{y}" stroke="#c5ccd6" stroke-width="2"/>'
        )
    day = ""
    for column, one in enumerate(shown):
        x, y = _x(column), _TOP + _ROW * rows[one.trace] + _ROW // 2
        said = instant(one.at)
        if said[:10] != day:
            day = said[:10]
            parts.append(f'<line x1="{x}" y1="14" x2="{x}" y2="{height - 8}" stroke="#e3e7ec"/>')
            parts.append(f'<text x="{x + 3}" y="12" class="d">{day}</text>')
        parts.append(f'<text transform="translate({x + 4} {_TOP - 6}) rotate(-60)" class="k">{escape(one.kind)}</text>')
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="6" fill="{_COLOURS.get(one.kind, _PLAIN)}">'
            f"<title>{escape(f'{one.kind}, {said}, entry {one.log_index} of the log')}</title></circle>"
        )
    parts.append("</svg>")
    if len(marks) > len(shown):
        parts.append(f"<p>The first {len(shown)} of {len(marks)} entries are drawn; all are listed below.</p>")
    return "".join(parts)


def _short(name: str) -> str:
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"


def _x(column: int) -> int:
    return _LEFT + _STEP * column + _STEP // 2
