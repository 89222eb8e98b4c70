"""Our documents hold the rules; a fault planted into a copy is found by the rule that is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.conftest import cut
from tests.contracts.planted import HOUSE, Document
from tests.contracts.planted_flat import FLAT, an_inline_object
from tools.contract import whole_document
from tools.contract.lint import lint, main
from tools.contract.reading import Finding
from tools.contract.spectral import FLAT_RULES, HOUSE_RULES
from tools.node.installation import NodeTools

pytestmark = pytest.mark.timeout(900)  # one process judges all copies in one go

OPENAPI = Path(__file__).parents[2] / "docs" / "openapi"
CASES = [
    *((f"{plant.__name__}-full", rule, plant) for rule, plant in HOUSE),
    *((f"{plant.__name__}-flat", rule, plant) for rule, plant in [*HOUSE, *FLAT]),
]
THEIRS = {
    "oas3-schema",
    "no-$ref-siblings",
    "array-items",
    "path-params",
    "operation-operationId-unique",
    "invalid-ref",
}
"""Rules that come with Spectral and that we rest on."""

Found = dict[str, list[Finding]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, installed: NodeTools) -> Found:
    """What each case brings to light: every copy is a file, and all of them are judged in one go."""
    folder = tmp_path_factory.mktemp("planted")
    files: dict[bool, list[Path]] = {True: [], False: []}
    for name, plant in [("sound-full", None), ("sound-flat", None), *((name, plant) for name, _, plant in CASES)]:
        flat = name.endswith("-flat")
        document = cut(flat=flat)
        if plant is not None:
            plant(document)
        path = folder / f"{name}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        files[flat].append(path)
    judged = {**lint(installed, files[True], flat=True), **lint(installed, files[False])}
    return {path.stem: findings for path, findings in judged.items()}


def test_a_sound_copy_is_sound(found: Found) -> None:
    assert found["sound-full"] == []
    assert found["sound-flat"] == []


@pytest.mark.parametrize(("name", "rule"), [case[:2] for case in CASES], ids=[case[0] for case in CASES])
def test_a_planted_fault_is_found_by_its_rule(name: str, rule: str, found: Found) -> None:
    assert rule in {finding.rule for finding in found[name]}, found[name]


def test_more_operations_than_may_be_active_are_found(document: Document) -> None:
    for number in range(3_000):
        document["paths"][f"/v1/more{number}"] = {"get": {}}
    assert [message for _, message in whole_document.size(document)] == [
        f"there are {3_000 + _operations(OPENAPI / 'openapi.json')} operations; the limit is 3000"
    ]


def _operations(path: Path) -> int:
    paths: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["paths"]
    return sum(len(item) for item in paths.values())


def test_every_rule_has_a_planted_fault() -> None:
    ours = {
        rule
        for path in (HOUSE_RULES, FLAT_RULES)
        for rule, body in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"].items()
        if isinstance(body, dict)
    }
    assert {rule for rule, _ in [*HOUSE, *FLAT]} | {"size"} == ours | THEIRS | set(whole_document.RULES)


def test_no_rule_is_held_by_two_tools() -> None:
    ours = "".join(path.read_text(encoding="utf-8") for path in (HOUSE_RULES, FLAT_RULES))
    assert [rule for rule in whole_document.RULES if f"\n  {rule}:" in ours] == []


def test_ours_hold_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("openapi.json", "openapi-salesforce.json", "released/v1.json", "released/v1-salesforce.json")
    assert main([str(OPENAPI / name) for name in names]) == 0, capsys.readouterr().out


def test_the_flat_document_is_held_to_its_rules_by_what_it_says_it_is(
    flat: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    an_inline_object(flat)
    bad.write_text(json.dumps(flat))
    assert main([str(bad)]) == 1
    assert "flat-no-inline-object: components/schemas/TransactionAnswer/properties/routedTo" in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, "{"], ids=["no file", "no JSON"])
def test_what_cannot_be_read_is_no_clean_bill(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "unreadable.json"
    if text is not None:
        path.write_text(text)
    assert main([str(path)]) == 2
