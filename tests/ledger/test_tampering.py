"""Whatever is done to a published log at or below a checkpoint that somebody holds is noticed; nothing else alarms."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from gateway.ledger.held import Held
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verify import verify_directory
from tests.ledger.go_requests import audit_request
from tests.ledger.logs import KEY, publish_all
from tests.ledger.tampering import ACTS, Files, Log, Tampered, tamper
from tools.go_verifier.program import GoVerifier

LIMIT_S = 100


class Directory:
    """A directory that is made to hold exactly these files, and an auditor's state file beside it."""

    def __init__(self, place: Path) -> None:
        self.log = place / "log"
        self._state = place / "state.json"
        self._now: Files = {}

    def hold(self, files: Files, held: Held | None) -> None:
        for path in self._now.keys() - files.keys():
            (self.log / path).unlink()
        for path, data in files.items():
            if self._now.get(path) != data:
                (self.log / path).parent.mkdir(parents=True, exist_ok=True)
                (self.log / path).write_bytes(data)
        self._now = dict(files)
        self._state.unlink(missing_ok=True)
        if held is not None:
            self._state.write_bytes(bytes(held))

    def verify(self) -> bool:
        before = self._state.read_bytes() if self._state.exists() else None
        found = verify_directory(self.log, [KEY.key], self._state)
        after = self._state.read_bytes() if self._state.exists() else None
        assert found.ok or after == before, "what is wrong was remembered"
        return found.ok


def _acts(seed: int, log: Log, count: int) -> list[Tampered]:
    chance = random.Random(seed)
    return [tamper(chance, log) for _ in range(count)]


@pytest.mark.slow
def test_2500_acts_of_tampering_are_all_noticed(tmp_path: Path) -> None:
    done: Counter[str] = Counter()
    unnoticed = []
    for number, (sizes, count) in enumerate(
        [((300, 700), 1_700), ((5,), 400), ((200, 256, 257, 512), 400), ((66_000,), 20)]
    ):
        log, directory = Log(sizes), Directory(tmp_path / str(number))
        directory.hold(log.files, log.held[-1])
        assert directory.verify(), "it alarms before anything was done"
        for act in _acts(number, log, count):
            directory.hold(act.files, act.held)
            done[act.kind] += 1
            if directory.verify():
                unnoticed.append(act.kind)
    assert unnoticed == []
    assert sum(done.values()) >= 2_500
    assert len(done) == len(ACTS)
    assert min(done.values()) >= 80


def test_go_notices_them_too(tmp_path: Path, go: GoVerifier) -> None:
    requests, kinds = [], []
    for number, sizes in enumerate([(300, 700), (5,), (200, 256, 257, 512)]):
        # a file that only readers of older checkpoints ask for is no business of Go's audit
        acts = [act for act in _acts(100 + number, Log(sizes), 140) if act.needed]
        for count, act in enumerate(acts):
            place = tmp_path / f"{number}-{count}"
            Directory(place).hold(act.files, None)
            requests.append(audit_request(place / "log", act.held))
            kinds.append(act.kind)
    answers = go.ask(requests, LIMIT_S)
    assert [kind for kind, answer in zip(kinds, answers, strict=True) if answer["ok"]] == []
    assert len(requests) >= 300
    assert len(set(kinds)) == len(ACTS)


def test_200_sound_logs_alarm_nobody(tmp_path: Path, go: GoVerifier) -> None:
    chance, requests = random.Random(7), []
    for number in range(200):
        place = tmp_path / str(number)
        tiles, size, seen = DirectoryTiles(place / "log"), 0, None
        for _ in range(chance.randrange(1, 4)):
            size += chance.choice([0, 1, 3, 100, 255, 256, 300])
            publish_all(tiles, [size])
            if chance.random() < 0.7:
                found = verify_directory(place / "log", [KEY.key], place / "state.json")
                assert found.ok, found.wrong
                seen = found.seen or seen
        assert verify_directory(place / "log", [KEY.key], place / "state.json").ok
        requests.append(audit_request(place / "log", seen))
    assert [answer for answer in go.ask(requests, LIMIT_S) if not answer["ok"]] == []
