"""`make test` runs every test file, each once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tools import run_tests


def test_every_test_file_is_in_exactly_one_part() -> None:
    files = {file.relative_to(run_tests.ROOT) for file in run_tests.TESTS.rglob("test_*.py")}
    run = Counter(file for part in run_tests.parts() for file in _files_of(part))
    assert set(run) == files
    assert set(run.values()) == {1}


def _files_of(part: str) -> list[Path]:
    path = run_tests.ROOT / part
    found = [path] if path.is_file() else list(path.rglob("test_*.py"))
    return [file.relative_to(run_tests.ROOT) for file in found]


def test_a_part_that_fails_fails_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ends = {"a": (0, "3 passed in 1 s"), "b": (1, "FAILED tests/b.py::test_x\n1 failed, 2 passed in 1 s")}
    monkeypatch.setattr(run_tests, "parts", lambda: list(ends))
    monkeypatch.setattr(run_tests, "run", lambda part: run_tests.Ended(part, *ends[part], seconds=1.0, worked=0.5))
    assert run_tests.main(2) == 1
    said = capsys.readouterr().out
    assert "1 failed, 5 passed in " in said
    assert "(2 parts, 1 failed)" in said
    assert "FAILED tests/b.py::test_x" in said
