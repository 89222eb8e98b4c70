"""`erp-gateway cutover board|drain|gates` against a gateway that runs, with the gates that it really has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.console import Failure
from gateway.cli.cutover_adopt import read_lines
from gateway.cli.cutover_board import bar
from tests.command_line import erp_gateway
from tests.cutover.test_act_commands import data, said

__all__ = ["data"]


def test_the_board_is_shown_as_text_and_as_json(data: Path) -> None:
    items = said("cutover", "board", "--data", data, "--domain", "orders")["items"]
    assert {"orders.Western.LATAM", "orders.Eastern.DE"} <= {one["sliceId"] for one in items}
    told = erp_gateway("cutover", "board", "--data", data, "--domain", "orders", "--stage", "drain")
    assert told.returncode == 0, told.stderr
    assert "orders.Western.LATAM" in told.stdout
    assert "orders.Eastern.DE" not in told.stdout


def test_the_drain_of_a_slice(data: Path) -> None:
    assert len(said("cutover", "drain", "orders.Western.BR", "--data", data)["drainDays"]) == 30
    told = erp_gateway("cutover", "drain", "orders.Western.BR", "--data", data)
    assert told.returncode == 0, told.stderr
    assert "orders.Western.BR (drain): open in legacy 0" in told.stdout
    assert "Going back would leave in the cloud: 0" in told.stdout


def test_gates_that_do_not_hold_are_told_and_exit_with_1(data: Path) -> None:
    done = erp_gateway("cutover", "gates", "orders.Western.BR", "--data", data, "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    by_gate = {one["gate"]: one for one in found["gates"]}
    assert by_gate["no_lineage_stranded"]["holds"]
    assert by_gate["nothing_unknown"]["holds"]
    assert not by_gate["control_totals"]["holds"]
    assert "no period of company code NW01 was closed" in by_gate["control_totals"]["why"]
    assert "control_totals" in done.stderr
    told = erp_gateway("cutover", "gates", "orders.Eastern.DE", "--data", data)
    assert "number_ranges" in told.stdout
    summary = said("cutover", "drain", "orders.Western.BR", "--data", data)["gates"]
    assert "control_totals" in summary["failed"]


def test_a_slice_that_is_none_is_refused(data: Path) -> None:
    refused = erp_gateway("cutover", "drain", "orders.Nowhere.BR", "--data", data)
    assert refused.returncode != 0
    assert "unknown-node" in refused.stderr


def test_bars_show_what_is_there() -> None:
    assert [bar(count, 100) for count in (0, 1, 50, 100)] == ["", "#", "#" * 10, "#" * 20]
    assert bar(0, 0) == ""


def test_a_batch_is_read_from_a_file_and_judged_by_the_gateway(data: Path, tmp_path: Path) -> None:
    batch = tmp_path / "batch.csv"
    batch.write_text(f"lineage_id,document_type,document_number\nlin_{'0' * 26},sales_order,5000417\n", "utf-8")
    options = ("--from", "legacy-main", "--to", "cloud-main", "--on", "2099-01-01", "--count", "1")
    asked = ("cutover", "adopt", batch, *options, "--total", "440.00 USD", "--data", data)
    refused = erp_gateway(*asked)
    assert refused.returncode == 1
    assert "policy-check-failed" in refused.stderr
    assert "person" in refused.stderr or "the lineage is not open" in refused.stderr
    unknown = erp_gateway("cutover", "adopt", "--approve", f"adp_{'0' * 26}", "--data", data)
    assert unknown.returncode == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lineage,number\n", ":1: the header must be"),
        ("lineage_id,document_type,document_number\nlin_1,sales_order\n", ":2: a line needs"),
        ("lineage_id,document_type,document_number\nlin_1,,7\n", ":2: a line needs"),
    ],
)
def test_a_file_that_is_no_batch_is_told_by_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "batch.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Failure, match=complaint):
        read_lines(file)
    with pytest.raises(Failure, match="cannot be read"):
        read_lines(tmp_path / "nowhere.csv")
