"""`erp-gateway capabilities`: from rulebook and drivers alone; no system is called, no gateway runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.console import Failure

ROOT = Path(__file__).parents[2]
MOUNTED = "/run/secrets/"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The example settings on the sample rulebook, with secrets that open nothing."""
    text = (ROOT / "deploy" / "gateway.toml").read_text(encoding="utf-8")
    (tmp_path / "gateway.toml").write_text(text.replace(MOUNTED, ""), encoding="utf-8")
    shutil.copytree(ROOT / "routing_rules" / "tables", tmp_path / "rulebook")
    for name in re.findall(rf'"{MOUNTED}(\w+)"', text):
        (tmp_path / name).write_text("s", encoding="utf-8")
    return tmp_path


def test_as_json(data: Path) -> None:
    done = CliRunner().invoke(app, ["capabilities", "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    assert {one["systemId"] for one in report["systems"]} == {"legacy-main", "cloud-main"}
    live = next(one for one in report["slices"] if one["row"] == "o-west")
    assert (live["newRootSystemIds"], live["followUpSystemIds"]) == (["cloud-main"], ["legacy-main", "cloud-main"])


def test_as_a_table_of_one_domain(data: Path) -> None:
    done = CliRunner().invoke(app, ["capabilities", "--data", str(data), "--domain", "orders"])
    assert done.exit_code == 0, done.output
    assert "o-west" in done.output
    assert "i-west" not in done.output


def test_a_domain_that_is_none(data: Path) -> None:
    done = CliRunner().invoke(app, ["capabilities", "--data", str(data), "--domain", "hats"])
    assert isinstance(done.exception, Failure)
    assert "customers" in str(done.exception)
