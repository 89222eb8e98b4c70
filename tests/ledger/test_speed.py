"""How fast entries become a published tree: the bar is 20,000 a second; `pytest -s` prints what was measured."""

import time

import pytest

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.ledger.frontier import Frontier
from gateway.ledger.proofs import inclusion_proof
from gateway.ledger.publish import Publisher
from gateway.ledger.sequencing import sequence
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_nodes import TileNodes
from gateway.ledger.verify import verify_directory
from tests.ledger.logs import KEY, LOG, ORIGIN

COUNT = 100_000
BATCH = 2_000
BAR = 20_000
"""Entries a second of this process's own time; how long the disk takes to sync is printed, it is the machine's."""


def _records():
    return [
        ledger_entry(
            EntryKind.ROUTED,
            trace=f"txn_{number // 4:026d}",
            seq=number % 4 + 1,
            at=1_700_000_000_000_000 + number,
            actor="salesforce",
            lineage=f"lin_{number // 4:026d}",
            members={"explanation": "x" * 200, "systemId": "legacy-main"},
        )
        for number in range(COUNT)
    ]


@pytest.mark.slow
def test_sequencing_and_publishing_durably_keep_up(tmp_path):
    records = _records()
    publisher, frontier = Publisher.open_published(DirectoryTiles(tmp_path / "log"), LOG), Frontier()
    spent, own = {"sequence": 0.0, "publish": 0.0}, time.process_time()
    for at in range(0, COUNT, BATCH):
        start = time.perf_counter()
        done = sequence(ORIGIN, frontier, records[at : at + BATCH], {})
        middle = time.perf_counter()
        publisher.publish(done.bodies, [KEY])
        spent["sequence"] += middle - start
        spent["publish"] += time.perf_counter() - middle
        frontier = done.frontier
    own = time.process_time() - own
    start = time.perf_counter()
    found = verify_directory(tmp_path / "log", [KEY.key], tmp_path / "state")
    spent["verify"] = time.perf_counter() - start
    assert found.ok
    rates = {what: round(COUNT / seconds) for what, seconds in spent.items()}
    start = time.process_time()
    for index in range(0, COUNT, 1_000):
        inclusion_proof(TileNodes(DirectoryTiles(tmp_path / "log"), COUNT), index, COUNT)
    proof_ms = (time.process_time() - start) / (COUNT / 1_000) * 1_000
    both = round(COUNT / (spent["sequence"] + spent["publish"]))
    print(f"\nentries a second: {rates}, sequence and publish {both}, of own time {round(COUNT / own)}")
    print(f"one inclusion proof, nothing cached: {proof_ms:.2f} ms")
    assert COUNT / own >= BAR
    assert proof_ms <= 5
