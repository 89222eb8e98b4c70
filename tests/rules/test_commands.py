"""`erp-gateway rules` as a pipeline meets it: what is printed, as text and as JSON, and the exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import routing_rules
from gateway.cli.console import Failure
from gateway.cli.rules import app
from routing_rules import Facts, decide, load_rulebook
from routing_rules.follow_ups import LINEAGE_OPERATIONS

TABLES = Path(routing_rules.__file__).parent / "tables"


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of the sample that a test may edit."""
    return Path(shutil.copytree(TABLES, tmp_path / "draft"))


def edit(directory: Path, old: str, new: str, file: str = "orders.csv") -> None:
    text = (directory / file).read_text(encoding="utf-8")
    assert old in text
    (directory / file).write_text(text.replace(old, new, 1), encoding="utf-8")


class Called:
    """What a call of the command printed, and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Called:
        self.exit_code, self.failure = 0, ""
        try:
            app([str(one) for one in arguments], standalone_mode=False)
        except Failure as failure:
            self.exit_code, self.failure = failure.exit_code, str(failure)
        self.text = self._capsys.readouterr().out
        return self

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Called:
    return Called(capsys)


def test_a_clean_rulebook_passes(call: Called) -> None:
    assert call("check", TABLES, "--against", TABLES).exit_code == 0
    assert "proof: 0 findings" in call.text
    assert "moves judged from" in call.text
    assert "answered for by treasury-team" in call.text
    read = call("check", TABLES, "--json").json
    assert read["passed"] is True
    assert read["proof"]["findings"] == []
    assert read["proof"]["against"] is None


def test_findings_are_exit_code_1_with_a_witness_in_wire_words(call: Called, draft: Path) -> None:
    edit(draft, "o-west-latam,*,Western,LATAM,", "o-latam,*,*,LATAM,")
    assert call("check", draft).exit_code == 1
    assert "error conflict: rows o-latam, o-south-americas decide" in call.text
    assert "  witness: orders create business_unit=Southern geography=AR" in call.text
    assert call.failure.endswith("does not pass: 5 findings, 0 failed examples")
    read = call("check", draft, "--json").json
    assert call.exit_code == 1
    finding = next(one for one in read["proof"]["findings"] if "o-south-americas" in one["message"])
    assert finding["witness"]["businessUnit"] == "Southern"
    answer = decide(
        load_rulebook(draft),
        Facts(domain="orders", operation="create", business_unit="Southern", geography=finding["witness"]["geography"]),
    )
    assert type(answer).__name__ == "Conflict"


def test_a_failed_example_is_exit_code_1(call: Called, draft: Path) -> None:
    edit(draft, "row: o-west}", "row: o-base}", "rulebook.yaml")
    assert call("check", draft).exit_code == 1
    assert "example 'Western is live' expects" in call.text


def test_files_that_cannot_be_read_are_exit_code_2(call: Called, draft: Path) -> None:
    edit(draft, ",Western,", ",Westen,")
    assert call("check", draft).exit_code == 2
    assert "orders.csv:3:10: unknown business_unit node 'Westen'. Did you mean 'Western'?" in call.failure
    assert call("check", draft, "--json").json["complaints"][0]["column"] == 10
    assert call("check", TABLES, "--against", draft).exit_code == 2
    assert call("diff", draft, TABLES).exit_code == 2


def test_moves_are_judged_from_the_version_in_force(call: Called, draft: Path) -> None:
    edit(
        draft,
        "o-north-emea,*,Northern,EMEA except FR|ES,*,*,*,*,,,dark",
        "o-north-emea,*,Northern,EMEA except FR|ES,*,*,*,*,,,live",
    )
    assert call("check", draft, "--against", TABLES).exit_code == 1
    assert "error illegal_move: from dark (legacy-main, cloud-main) to live (legacy-main, cloud-main)" in call.text
    codes = {one["code"] for one in call("check", draft, "--json").json["proof"]["findings"]}
    assert codes == {"follow_up_behind"}


def report(lacking: tuple[str, str, str] | None = None) -> str:
    """As `erp-gateway capabilities --json` prints it, of two systems that can do all but one thing."""
    systems = [
        {
            "systemId": system,
            "domains": [
                {
                    "domain": domain,
                    "operations": [
                        {"operation": name, "supported": (system, domain, name) != lacking} for name in names
                    ],
                }
                for domain, names in LINEAGE_OPERATIONS.items()
            ],
        }
        for system in ("legacy-main", "cloud-main")
    ]
    return json.dumps({"systems": systems, "slices": []})


def test_what_drivers_can_do_is_handed_in(call: Called, tmp_path: Path) -> None:
    file = tmp_path / "capabilities.json"
    file.write_text(report())
    assert call("check", TABLES, "--capabilities", file).exit_code == 0
    file.write_text(report(("cloud-main", "invoices", "reverse")))
    assert call("check", TABLES, "--capabilities", file).exit_code == 1
    assert "does not take reverse of invoices" in call.text
    for wrong in ("[", "[1]", "{}", '{"systems": [{"systemId": "a", "domains": [1]}]}'):
        file.write_text(wrong)
        assert call("check", TABLES, "--capabilities", file).exit_code == 2
        assert "write it with: erp-gateway capabilities --json" in call.failure
    assert call("check", TABLES, "--capabilities", tmp_path / "nothing").exit_code == 2


def test_rows_are_covered_by_examples_and_recorded_facts(call: Called, tmp_path: Path) -> None:
    facts = tmp_path / "facts.jsonl"
    wire = {"schemaVersion": 1, "domain": "orders", "operation": "create", "businessUnit": "Western", "geography": "US"}
    lines: list[dict[str, Any]] = [
        wire,
        wire,
        {"facts": wire | {"geography": "BR", "currencyCode": "USD"}, "kind": "routed"},
    ]
    lines.append({"schema_version": 1, "domain": "orders", "operation": "create", "business_unit": "Mars"})
    lines.append({"schema_version": 1, "domain": "quotes", "operation": "create"})
    facts.write_text("\n\n".join(map(json.dumps, lines)))
    read = call("check", TABLES, "--facts", facts, "--json").json["coverage"]
    counted = {one["row"]: (one["examples"], one["recorded"]) for one in read["rows"]}
    assert counted["o-west"] == (1, 2)
    assert counted["o-west-latam"] == (0, 1)
    assert read["recorded"] == 5
    assert read["undecided"] == {"domain not served": 1, "unknown node": 1}
    assert call("check", TABLES, "--facts", facts).exit_code == 0
    assert "recorded facts: 5, undecided: domain not served 1, unknown node 1" in call.text
    assert "rows without an example: " in call.text
    for wrong in ("no json", "x" * 70_000, "[1]", '{"schema_version": 9, "domain": "orders", "operation": "create"}'):
        facts.write_text(f"{json.dumps(wire)}\n{wrong}\n")
        assert call("check", TABLES, "--facts", facts).exit_code == 2
        assert call.failure.startswith(f"{facts}:2: ")
    assert call("check", TABLES, "--facts", tmp_path / "nothing").exit_code == 2


def test_a_difference_is_told_in_boxes(call: Called, draft: Path) -> None:
    assert call("diff", TABLES, draft).exit_code == 0
    assert "the versions are the same" in call.text
    edit(
        draft,
        "o-east-dach,*,Eastern,DE|AT|CH,*,*,*,*,,,pilot,legacy-main,cloud-main,25,",
        "o-east-dach,*,Eastern,DE|AT|CH,*,*,*,*,,,pilot,legacy-main,cloud-main,50,",
    )
    assert call("diff", TABLES, draft).exit_code == 0
    assert (
        "orders: business_unit Eastern, geography AT | CH | DE, amount <5000 USD | any other currency: share 25 -> 50"
        in call.text
    )
    (change,) = call("diff", TABLES, draft, "--json").json["changes"]
    assert change["changed"] == {"share": {"before": "25", "after": "50"}}
    assert change["rowsBefore"] == ["o-east-dach"]
    edit(draft, "a quarter of the customers", "half of the customers")
    edit(draft, ",50,", ",25,")
    assert "no fact is decided differently" in call("diff", TABLES, draft).text


def test_tables_go_to_a_workbook_and_back(call: Called, draft: Path, tmp_path: Path) -> None:
    workbook = tmp_path / "rules.xlsx"
    assert call("export", TABLES, "--xlsx", workbook).exit_code == 0
    before = load_rulebook(TABLES).version
    for table in draft.glob("*.csv"):
        table.write_text("spoiled")
    read = call("import", workbook, draft, "--json").json
    assert read["version"] == before
    assert sorted(Path(one).name for one in read["written"]) == sorted(path.name for path in TABLES.glob("*.csv"))
    assert load_rulebook(draft).version == before
    assert [path.name for path in draft.iterdir() if path.name.endswith(".part")] == []


def test_a_workbook_with_errors_writes_nothing(call: Called, draft: Path, tmp_path: Path) -> None:
    workbook = tmp_path / "rules.xlsx"
    assert call("export", TABLES, "--xlsx", workbook).exit_code == 0
    orders = (draft / "orders.csv").read_bytes()
    edit(draft, "- {id: Western", "- {id: West", "rulebook.yaml")
    assert call("import", workbook, draft).exit_code == 2
    assert "rules.xlsx[orders]:3:3: unknown business_unit node 'Western'" in call.failure
    assert (draft / "orders.csv").read_bytes() == orders
    assert call("import", workbook, draft, "--json").json["complaints"][0]["file"].startswith("rules.xlsx[")
    assert call("import", tmp_path / "nothing.xlsx", draft).exit_code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert call("import", workbook, empty).exit_code == 2
    assert "rulebook.yaml:1:1: the file is missing" in call.failure


def test_a_workbook_does_not_lie_beside_the_tables(call: Called, draft: Path) -> None:
    assert call("export", draft, "--xlsx", draft / "rules.xlsx").exit_code == 2
    assert "put it elsewhere" in call.failure
    assert not (draft / "rules.xlsx").exists()


def test_why_and_why_not(call: Called) -> None:
    facts = ("explain", "--rulebook", TABLES, "--domain", "orders", "--business-unit", "Eastern", "--geography", "DE")
    assert call(*facts, "--share-key", "customer-1").exit_code == 0
    assert "share bucket 4942 does not lie below 2500; target legacy-main" in call.text
    assert "each an exception to the one before: o-base, o-east-dach" in call.text
    assert 'share 25: first 8 bytes, big-endian, of SHA-256("share/v1" followed by the share key)' in call.text
    assert "why not another: with amount 5000" in call.text
    assert "row o-east-dach-large decides: stage validate" in call.text
    assert "answered for by order-to-cash-team" in call.text
    read = call(*facts, "--why-not", "o-east-dach-large", "--json").json
    assert [one["field"] for one in read["whyNot"]["changes"]] == ["amount", "currency"]
    assert read["owners"] == ["order-to-cash-team"]
    assert call(*facts, "--why-not", "nobody").exit_code == 2
    assert call.failure == "the table of orders has no row nobody"
    assert call(*facts, "--why-not", "o-east-dach").text.count("no row was found") == 1
