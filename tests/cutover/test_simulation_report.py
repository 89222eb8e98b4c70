"""A simulation as text and as a report: complete, well formed, offline, and escaped."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from gateway.cutover.charts import Bar, bar_chart
from gateway.cutover.simulation import SimulationRun, Versions, Window, WindowInvalid, run_simulation
from gateway.cutover.simulation_html import html_of
from gateway.cutover.simulation_text import text_of
from gateway.cutover.traffic import RecordedTraffic
from gateway.store.store import Store
from routing_rules import Rulebook
from tests.cutover.recorded import DAY, NOON, record, routed
from tests.rules.traffic import BASE, LIVE, book

HOSTILE = "<script>alert('&')</script>"
CANDIDATE = book(BASE, LIVE)


async def _run(store: Store, candidate: Rulebook = CANDIDATE, until: int = NOON + DAY, page: int = 3) -> SimulationRun:
    base = book(BASE)
    window = Window(NOON, until)
    traffic = RecordedTraffic(store.reads, base, candidate, window.since, window.until)
    return await run_simulation(base, candidate, Versions.of(candidate, base, 1), window, traffic, page=page)


@pytest.fixture
async def stored(store: Store) -> dict[str, Any]:
    """A result with everything in it."""
    await record(
        store,
        routed(1, "lin_a"),
        routed(2, "lin_a", pinned=True, domain="invoices", amount="40.50"),
        routed(3, businessUnit="B", amount="7.00"),
        routed(4, "lin_old", pinned=True, systemId="old"),
        routed(5, schemaVersion=9, amount="3.00"),
        routed(6, businessUnit="nowhere", amount="5.00"),
        routed(7, amount=None, currencyCode=None, postingDate=None),
        routed(8, companyCode=HOSTILE, currencyCode="USD"),
    )
    made: dict[str, Any] = json.loads(json.dumps((await _run(store)).as_json()))
    return made


async def test_the_hash_binds_the_result_to_versions_window_and_entries(store: Store) -> None:
    await record(store, *(routed(number) for number in range(1, 6)))
    run = await _run(store)
    assert (await _run(store, page=1)).result_hash == run.result_hash
    assert run.as_json()["resultHash"] == run.result_hash
    assert run.simulation.moved_documents == 5
    await record(store, routed(9, "lin_9", pinned=True, systemId="gone", amount=None, currencyCode=None))
    hashes = {
        run.result_hash,
        (await _run(store)).result_hash,
        (await _run(store, until=NOON + DAY - 1)).result_hash,
        (await _run(store, candidate=book(BASE))).result_hash,
    }
    assert len(hashes) == 4


def test_a_window_is_neither_empty_nor_endless_nor_in_the_future() -> None:
    Window(NOON, NOON + DAY).check(NOON + DAY)
    for since, until, told in (
        (NOON, NOON, "empty"),
        (NOON, NOON + 900 * DAY, "longer than 800 days"),
        (NOON, NOON + DAY + 1, "after now"),
    ):
        with pytest.raises(WindowInvalid, match=told):
            Window(since, until).check(NOON + DAY)


async def test_the_text_says_all_that_a_decision_needs(stored: dict[str, Any]) -> None:
    text = text_of(stored)
    for line in (
        "8 documents: decided anew 4, follow their root 1, pinned before the window 1, undecided 2",
        "moves: 4 documents",
        "  to the cloud: 2 documents, 140.50 EUR",
        "  to the cloud · orders · A1 · DE: 1 document, 100.00 EUR",
        "  C1 · 2026-03: 2 documents, 140.50 EUR",
        "  old: 1 document, 7.00 EUR",
        "  schema_version: 1 document, 3.00 EUR",
        "  unknown node: 1 document, 5.00 EUR: " + f"txn_{6:026d}",
        "customers open in both ERPs: 0 in force, 0 by the candidate",
        f"result {stored['resultHash']}",
    ):
        assert any(one.strip().startswith(line.strip()) for one in text.splitlines()), line


async def test_the_report_is_one_offline_file_that_escapes_what_it_shows(stored: dict[str, Any]) -> None:
    page = html_of(stored)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"<(script|link|img|iframe|object)\b|https?://(?!www\.w3\.org/2000/svg)|url\(|@import", page)
    tree = ElementTree.fromstring(page.replace("<!doctype html>", ""))  # noqa: S314 (our own page)
    ids = [one.attrib["id"] for one in tree.iter() if "id" in one.attrib]
    assert len(ids) == len(set(ids))
    charts = list(tree.iter("{http://www.w3.org/2000/svg}svg"))
    assert len(charts) == 7  # money by slice and by period in EUR, USD and none; peaks
    for chart in charts:
        assert chart.attrib["role"] == "img"
        named = chart.attrib["aria-labelledby"].split()
        assert [child.attrib["id"] for child in list(chart)[:2]] == named
        assert all("".join(child.itertext()).strip() for child in list(chart)[:2])
    for table in tree.iter("table"):
        columns = list(table.iter("th"))
        assert table.find("caption") is not None
        assert all(one.attrib["scope"] == "col" for one in columns)
        assert all(len(row) == len(columns) for row in table.iter("tr"))
    assert stored["resultHash"] in page
    assert "@media print" in page


def test_bars_are_to_scale_and_the_limit_is_drawn() -> None:
    chart = bar_chart(
        "x",
        "A",
        "B",
        [Bar("one", Decimal(100), "100"), Bar("half", Decimal(50), "50"), Bar("least", Decimal("0.001"), "0.001")],
        limit=Decimal(50),
        limit_told="50 %",
    )
    widths = [int(found) for found in re.findall(r'width="(\d+)" height', chart)]
    assert widths[0] == 2 * widths[1]
    assert widths[2] == 1
    (x,) = re.findall(r'<line class="limit" x1="(\d+)"', chart)
    assert int(x) == 260 + widths[1]
