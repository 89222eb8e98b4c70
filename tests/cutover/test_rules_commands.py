"""`erp-gateway rules draft|review|approve|waive|activate|rollback` against a gateway that runs, with all its gates."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from routing_rules import load_rulebook
from tests.command_line import erp_gateway
from tests.cutover.desk import SAMPLE, again
from tests.integration.test_wiring import NOBODY, SETTINGS, TABLES
from tests.ports import reserved_port

COMMAND = Path(sys.executable).with_name("erp-gateway")
STARTED_S = 60.0


def said(*arguments: str | Path) -> Any:
    """What a command that succeeds prints as JSON."""
    done = erp_gateway(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data directory of a demo's gateway that runs; nobody answers at the addresses of its ERPs."""
    directory = tmp_path_factory.mktemp("drafts")
    shutil.copytree(TABLES, directory / "rulebook")
    (directory / "secret").write_text("s", encoding="utf-8")
    port = reserved_port()
    settings = SETTINGS.format(url=NOBODY).replace("port = 8099", f"port = {port}")
    (directory / "gateway.toml").write_text(f"demo = true\n{settings}", encoding="utf-8")
    log = (directory / "log").open("w", encoding="utf-8")
    process = subprocess.Popen([COMMAND, "serve", "--data", directory], stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + STARTED_S
        while not _ready(port):
            assert process.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < deadline, "the gateway is not ready"
            time.sleep(0.2)
        yield directory
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=2.0).status_code == 200
    except httpx.HTTPError:
        return False


def written(directory: Path, files: dict[str, str]) -> Path:
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def without_examples(files: dict[str, str]) -> dict[str, str]:
    yaml = files["rulebook.yaml"].partition("\nexamples:")[0]
    return files | {"rulebook.yaml": f"{yaml}\n"}


def test_from_a_directory_into_force_and_back(data: Path, tmp_path: Path):
    where = ("--data", data)
    raised = without_examples(again(SAMPLE, "o-east-dach", ",25,", ",50,"))
    saved = said("rules", "draft", written(tmp_path / "raised", raised), "--title", "half of the pilot", *where)
    draft_id = saved["draftId"]
    assert (saved["etag"], saved["baseActivationNumber"]) == ("v1", 1)

    shown = erp_gateway("rules", "review", draft_id, *where)
    assert "share 25 -> 50" in shown.stdout, shown.stderr
    assert "wants order-to-cash-team" in shown.stdout

    early = erp_gateway("rules", "activate", draft_id, *where)
    assert early.returncode == 1
    assert "policy-check-failed" in early.stderr
    own = erp_gateway("rules", "approve", draft_id, "--as", "treasury-approver", *where)
    assert "order-to-cash-team" in own.stderr
    assert said("rules", "approve", draft_id, *where)["draftVersion"] == 1

    until = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    waived = {one["gate"] for one in said("rules", "review", draft_id, *where)["gates"] if not one["holds"]}
    assert "simulation" in waived
    for gate in sorted(waived - {"approvals", "version_loaded"}):
        said("rules", "waive", draft_id, "--gate", gate, "--reason", "a test", "--until", until, *where)
    activated = said("rules", "activate", draft_id, *where)
    assert (activated["state"], activated["activationNumber"]) == ("activated", 2)
    assert [one["state"] for one in said("rules", "drafts", *where)] == ["activated"]

    back = said("rules", "rollback", "orders.Eastern.DE", "--reason", "wrong share", "--yes", *where)
    assert (back["state"], back["activationNumber"]) == ("activated", 3)
    said("rules", "fetch", "3", tmp_path / "fetched", *where)
    assert load_rulebook(tmp_path / "fetched").version == back["rule"]["tableVersion"]
    unasked = erp_gateway("rules", "rollback", "orders.Eastern.DE", "--reason", "once more", *where)
    assert unasked.returncode == 1
    assert "Going back would leave in the cloud: 0" in unasked.stdout, "what it would leave is told first"
    again_back = erp_gateway("rules", "rollback", "orders.Eastern.DE", "--reason", "once more", "--yes", *where)
    assert again_back.returncode == 1
    assert "no activation changed it" in again_back.stderr


def test_wrong_files_are_told_with_their_places(data: Path, tmp_path: Path):
    broken = again(SAMPLE, "o-west", ",live,", ",alive,")
    done = erp_gateway("rules", "draft", written(tmp_path / "broken", broken), "--title", "x", "--data", data)
    assert done.returncode == 2
    assert "orders.csv:3:" in done.stderr


def test_a_draft_is_saved_anew(data: Path, tmp_path: Path):
    where = ("--data", data)
    first = said("rules", "draft", written(tmp_path / "a", SAMPLE), "--title", "one", *where)
    second = said(
        "rules", "draft", written(tmp_path / "b", without_examples(SAMPLE)), "--title", "two",
        "--edit", first["draftId"], *where,
    )  # fmt: skip
    assert (second["draftId"], second["etag"], second["title"]) == (first["draftId"], "v2", "two")


def test_a_draft_is_discarded_and_closed_for_good(data: Path, tmp_path: Path):
    where = ("--data", data)
    draft_id = said("rules", "draft", written(tmp_path / "c", SAMPLE), "--title", "three", *where)["draftId"]
    stale = erp_gateway("rules", "discard", draft_id, "--etag", "v7", *where)
    assert (stale.returncode, "stale" in stale.stderr) == (1, True)
    assert erp_gateway("rules", "discard", draft_id, *where).stdout == f"{draft_id} is discarded\n"
    assert said("rules", "review", draft_id, *where)["state"] == "discarded"
    late = erp_gateway("rules", "discard", draft_id, *where)
    assert (late.returncode, "document-closed" in late.stderr) == (1, True)


def test_the_gateway_that_is_addressed_explains_and_not_the_files(data: Path, tmp_path: Path):
    """What is in force may be another version than the files that the gateway was first started with."""
    files = data / "rulebook" / "orders.csv"
    was = files.read_text(encoding="utf-8")
    facts = ("--domain", "orders", "--business-unit", "Western", "--geography", "NO", "--posting-date", "2026-11-23")
    try:
        files.write_text(was.replace(",live,legacy-main,cloud-main,", ",legacy,legacy-main,cloud-main,"), "utf-8")
        address = said("where", "--data", data)["url"]
        for where in (("--url", address, "--data", data), ("--data", data)):
            told = said("rules", "explain", *facts, *where)
            assert (told["stage"], told["namedRow"], told["target"]["systemId"]) == ("live", "o-west", "cloud-main")
            assert told["activationNumber"] >= 1
            text = erp_gateway("rules", "explain", *facts, *where, "--why-not", "o-base").stdout
            assert text.startswith(f"activation {told['activationNumber']}: stage live: new roots go to the cloud")
            assert "row o-base decides: stage legacy" in text
        assert said("rules", "explain", *facts, "--rulebook", data / "rulebook")["stage"] == "legacy"
        unknown = erp_gateway("rules", "explain", "--domain", "orders", "--geography", "MOON", "--url", address)
        assert unknown.returncode != 0
    finally:
        files.write_text(was, encoding="utf-8")


def test_a_review_tells_findings_with_place_witness_and_mend(data: Path, tmp_path: Path):
    where = ("--data", data)
    leap = without_examples(again(SAMPLE, "o-north-emea", ",dark,", ",live,"))
    draft_id = said("rules", "draft", written(tmp_path / "leap", leap), "--title", "leap", *where)["draftId"]
    shown = erp_gateway("rules", "review", draft_id, *where).stdout
    (line,) = [
        number
        for number, text in enumerate(leap["orders.csv"].splitlines(), start=1)
        if text.startswith("o-north-emea,")
    ]
    assert f"illegal_move (orders) at orders.csv:{line} o-north-emea" in shown
    assert "    witness: domain orders" in shown
    assert "    everywhere: businessUnit Northern" in shown
    assert "    mend: " in shown
