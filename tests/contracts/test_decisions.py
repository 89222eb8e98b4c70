"""What a person has accepted as no break: it covers one finding of one document, and not for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.conftest import made
from tools.contract.breaking import breaks, main
from tools.contract.decisions import DecisionsInvalid, read_decisions

DECISION = {
    "released": "v1.json",
    "finding": "",
    "decided_by": "the owner of the API",
    "reason": "No client is older than this.",
    "until": "1.2.0",
}


def _toml(*decisions: dict[str, str]) -> str:
    """JSON texts are TOML texts."""
    if not decisions:
        return "decision = []\n"
    return "".join("[[decision]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in one.items()) for one in decisions)


@pytest.fixture
def changed(document: dict[str, Any], tmp_path: Path) -> tuple[Path, Path, str]:
    """A released document, a present one with another pattern, and the finding."""
    released, present = tmp_path / "v1.json", tmp_path / "openapi.json"
    document["info"]["version"] = "1.2.0"
    document["components"]["schemas"]["OrderRequest"]["properties"]["idempotencyKey"]["anyOf"][0]["pattern"] = "^x$"
    released.write_text(json.dumps(made()))
    present.write_text(json.dumps(document))
    (finding,) = breaks(made(), document)
    assert finding.rule == "pattern-changed"
    return released, present, str(finding)


def _run(changed: tuple[Path, Path, str], *decisions: dict[str, str]) -> int:
    file = changed[0].with_name("decisions.toml")
    file.write_text(_toml(*decisions), encoding="utf-8")
    return main([str(changed[0]), str(changed[1]), "--decisions", str(file)])


def test_an_accepted_finding_passes(changed: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(changed) == 1
    assert capsys.readouterr().out.strip() == changed[2], "the line is what a decision names"
    assert _run(changed, DECISION | {"finding": changed[2]}) == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"finding": "pattern-changed: OrderRequest"}, "decision-without-finding"),
        ({"until": "1.1.9"}, "decision-expired"),
        ({"released": "v1-salesforce.json"}, "pattern-changed"),
    ],
)
def test_a_decision_about_something_else(
    changed: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str], changes: dict[str, str], told: str
) -> None:
    assert _run(changed, DECISION | {"finding": changed[2]} | changes) == 1
    out = capsys.readouterr().out
    assert told in out
    assert changed[2] in out.splitlines(), "it stays a break"


def test_a_decision_that_nothing_needs_is_an_error(
    changed: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    both = (changed[0], changed[0], changed[2])
    assert _run(both) == 0
    assert _run(both, DECISION | {"finding": changed[2]}) == 1
    assert "decision-without-finding" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "decision = [",
        "",
        'decision = "all"',
        "other = 1\ndecision = []",
        _toml({"released": "v1.json"}),
        _toml(DECISION),  # it names no finding
        _toml(DECISION | {"finding": "f", "until": "next"}),
        _toml(DECISION | {"finding": "f"}, DECISION | {"finding": "f", "reason": "Twice."}),
        _toml(DECISION | {"finding": "f", "note": "n"}),
    ],
)
def test_a_file_that_is_none(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, document = tmp_path / "decisions.toml", tmp_path / "v1.json"
    file.write_text(text, encoding="utf-8")
    document.write_text(json.dumps(made()))
    with pytest.raises(DecisionsInvalid):
        read_decisions(file)
    assert main([str(document), str(document), "--decisions", str(file)]) == 2
    assert "decisions.toml" in capsys.readouterr().err


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DecisionsInvalid):
        read_decisions(tmp_path / "none.toml")
