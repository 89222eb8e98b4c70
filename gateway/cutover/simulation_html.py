"""A simulation as a report: one HTML file that needs nothing else, is read offline, and can be printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any, Final

from gateway.cutover.charts import MOST_BARS, Bar, bar_chart
from gateway.cutover.simulation_view import NO_CURRENCY, SimulationView, Sum, by_currency, minute_told

MOST_ROWS: Final = 2_000
"""Rows of one table; the JSON has all."""

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #767676; }
h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.2rem; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #d0d0d0; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font-size: .85em; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #1b1b1b; }
.bar { fill: #1f5fa8; } .second { fill: #9aa5b1; } .limit { stroke: #a31515; stroke-width: 2; stroke-dasharray: 4 3; }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 1rem; }
@media print { body { max-width: none; margin: 0; font-size: 11px; } h2 { break-after: avoid; }
  svg, tr { break-inside: avoid; } thead { display: table-header-group; } }
"""


def html_of(stored: Mapping[str, Any], *, peak_limit_percent: int = 70) -> str:
    """The report, of what `SimulationRun.as_json` stored.

    `peak_limit_percent`: of a system's budget, drawn as a line.
    """
    view = SimulationView(stored)
    body = "\n".join(_sections(view, peak_limit_percent))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        "<title>Simulation of a rulebook</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _sections(view: SimulationView, peak_limit_percent: int) -> Iterator[str]:
    yield from _head(view)
    yield "<h2>What moves</h2>"
    yield _sums("Moved, by direction", "direction", view.moved_by("direction"))
    slices = view.moved_by("domain", "businessUnit", "geography")
    yield from _money_charts("slice", "Money that moves, by slice", slices)
    moved = view.moved_by("direction", "fromSystem", "toSystem", "domain", "businessUnit", "geography")
    yield _sums("Moved, by direction, systems and slice", "slice", moved)
    yield "<h2>When</h2>"
    periods = sorted(view.moved_by("period"), key=lambda one: (one.currency_code, one.name))
    yield from _money_charts("period", "Money that moves, by period", periods)
    yield _sums("Moved, by company code and period", "company code · period", view.moved_by("companyCode", "period"))
    yield "<h2>What does not move</h2>"
    yield _sums("Decided anew and the same", "system", view.totals("keptTotals"))
    yield _sums("Pinned before the window", "system", view.totals("pinnedTotals"))
    yield "<h2>What nothing can be said of</h2>"
    yield _sums("Undetermined, by what was not recorded", "not recorded", view.totals("undetermined"))
    for name, told in (("unmatchedInForce", "what is in force"), ("unmatchedCandidate", "the candidate")):
        yield _table(
            f"Given no system by {told}",
            ("what", "#documents", "#amount", "some of them"),
            [
                (one.name, f"{one.documents:,}", one.money, ", ".join(transactions))
                for one, transactions in view.unmatched(name)
            ],
        )
    yield from _peaks(view, peak_limit_percent)
    yield from _both(view)
    yield "<h2>The largest that move</h2>"
    yield _table(
        "The twenty largest of each currency",
        ("#amount", "transaction", "domain", "from (row)", "to (row)"),
        [
            (
                f"{Decimal(one['amount']):,f} {one['currencyCode']}",
                one["transactionId"],
                one["domain"],
                f"{one['fromSystem']} ({one['rowBefore']})",
                f"{one['toSystem']} ({one['rowAfter']})",
            )
            for one in view.found["largest"]
        ],
    )


def _head(view: SimulationView) -> Iterator[str]:
    stored, found = view.stored, view.found
    base, candidate, position = stored["base"], stored["candidate"], stored["position"]
    yield "<h1>Simulation of a rulebook on recorded traffic</h1>"
    yield (
        f"<p>{found['documents']:,} documents were replayed: {found['decided']:,} decided anew, {found['followed']:,} "
        f"that follow their root, {found['pinned']:,} pinned before the window, {view.undecided:,} undecided. "
        f"<strong>{found['movedDocuments']:,} would move.</strong></p>"
    )
    yield _table(
        "What was simulated",
        ("what", "value"),
        [
            ("window (end excluded)", f"{stored['window']['since']} to {stored['window']['until']}"),
            ("candidate", candidate["tableVersion"]),
            ("its governance", candidate["governanceVersion"]),
            ("over activation", str(base["activationNumber"])),
            ("in force", base["tableVersion"]),
            ("entries read", f"{position['entries']:,}, leaves {position['leavesHash']}"),
            ("hash of this result", stored["resultHash"]),
        ],
    )


def _money_charts(name: str, title: str, sums: Sequence[Sum]) -> Iterator[str]:
    for currency, found in by_currency(sums).items():
        told = currency or NO_CURRENCY
        bars = [
            Bar(one.name, one.amount, f"{one.amount:,f}")
            if currency
            else Bar(one.name, Decimal(one.documents), f"{one.documents:,} documents")
            for one in found
        ]
        yield f"<h3>{escape(title)}: {escape(told)}</h3>"
        yield bar_chart(
            f"{name}-{currency.lower() or 'none'}",
            f"{title}, {told}",
            f"{min(len(bars), MOST_BARS)} of {len(bars)} bars; the table below has all of the numbers.",
            bars,
        )


def _peaks(view: SimulationView, limit_percent: int) -> Iterator[str]:
    peaks = view.found["peaks"]
    yield "<h2>Busiest minute of each system</h2>"
    bars = [
        Bar(
            one["systemId"],
            Decimal(one["candidatePercent"]),
            f"{one['candidatePercent']} % of {one['budget']:,} calls",
            Decimal(one["inForceCalls"]) * 100 / one["budget"],
        )
        for one in peaks
    ]
    yield bar_chart(
        "peaks",
        "Busiest minute of each system, in per cent of its budget",
        f"By the candidate and, thinner, by what is in force. The line stands at {limit_percent} per cent.",
        bars,
        limit=Decimal(limit_percent),
        limit_told=f"{limit_percent} %",
    )
    yield (
        '<p class="key"><span style="background:#1f5fa8"></span>candidate'
        '<span style="background:#9aa5b1"></span>in force</p>'
    )
    yield _table(
        "Calls in the busiest minute",
        ("system", "#in force", "when", "#candidate", "when", "#budget", "#per cent"),
        [
            (
                one["systemId"],
                f"{one['inForceCalls']:,}",
                minute_told(one["inForceMinute"]),
                f"{one['candidateCalls']:,}",
                minute_told(one["candidateMinute"]),
                f"{one['budget']:,}",
                one["candidatePercent"],
            )
            for one in peaks
        ],
    )


def _both(view: SimulationView) -> Iterator[str]:
    yield "<h2>Customers open in both ERPs</h2>"
    rows: list[tuple[str, ...]] = []
    for name, told in (("openInBothInForce", "in force"), ("openInBothCandidate", "candidate")):
        both = view.found[name]
        rows.append((told, f"{both['customers']:,}", "", "", ""))
        rows += [
            (told, "", side, f"{one['documents']:,}", f"{Decimal(one['amount']):,f} {one['currencyCode']}")
            for side in ("legacy", "cloud")
            for one in both[side]
        ]
    yield _table("Customers, and what they have open", ("version", "#customers", "side", "#lineages", "#open"), rows)


def _sums(caption: str, name: str, sums: Sequence[Sum]) -> str:
    rows = [(one.name, f"{one.documents:,}", one.money) for one in sums]
    return _table(caption, (name, "#documents", "#amount"), rows)


def _table(caption: str, columns: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    """`columns` that begin with # hold numbers."""
    if not rows:
        return f"<p>{escape(caption)}: none.</p>"
    kinds = [' class="n"' if column.startswith("#") else "" for column in columns]
    head = "".join(
        f'<th scope="col"{kind}>{escape(column.removeprefix("#"))}</th>'
        for column, kind in zip(columns, kinds, strict=True)
    )
    lines = [
        "<tr>" + "".join(f"<td{kind}>{_cell(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows[:MOST_ROWS]
    ]
    more = f"<p>{len(rows) - MOST_ROWS:,} more rows are in the JSON.</p>" if len(rows) > MOST_ROWS else ""
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>\n<tbody>"
        + "\n".join(lines)
        + f"</tbody></table>{more}"
    )


def _cell(text: str) -> str:
    """A hash may be broken over lines, everything else stays as it is."""
    return f"<code>{escape(text)}</code>" if len(text) == 64 and text.isalnum() else escape(text)
