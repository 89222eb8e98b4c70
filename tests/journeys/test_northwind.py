"""The main job on real input, end to end: real HTTP, NATS, database and ERPs, tied out to the cent, and repeated."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.gateway_process import tokens
from gateway.demo.load import LoadOptions, load
from gateway.demo.northwind import BILLING, SALESFORCE, load_northwind
from gateway.demo.places import Places
from tests.command_line import erp_gateway
from tests.journeys.demo_process import FIGURES, Demo, demo
from tests.ports import reserved_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
README = Path(__file__).parents[2] / "README.md"


def assert_ties_out(code: int, summary: dict[str, Any]) -> None:
    """Exit code, verdict, and the published figures of the input."""
    assert summary["holds"], summary.get("faults")
    assert code == 0
    for one in summary["domains"]:
        assert (one["count"], one["amount"]) == FIGURES[one["domain"]]
    assert {one["domain"] for one in summary["domains"]} == set(FIGURES)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A demo that has run once and ended."""
    with demo(tmp_path_factory.mktemp("northwind") / "demo", "--fresh") as running:
        assert_ties_out(*running.finish())
        return running


def test_northwind_ties_out_and_both_erps_have_their_part(finished: Demo):
    summary = json.loads((finished.data / "summary.json").read_text(encoding="utf-8"))
    for one in summary["domains"]:
        by_system = one["inSystem"]
        assert set(by_system) == {"legacy-main", "cloud-main"}
        assert all(part["count"] > 50 for part in by_system.values())


def test_the_same_run_again_changes_nothing(finished: Demo):
    before = finished.accepted()
    with demo(finished.data) as again:
        assert_ties_out(*again.finish())
    assert finished.accepted() == before == 91 + 77 + 830 + 809 + 809


@pytest.fixture
def serving(finished: Demo) -> Iterator[Places]:
    """The demo's parts, running again on the data of the run that ended."""
    arguments = [Path(sys.executable).with_name("erp-gateway"), "demo", "--data", finished.data]
    arguments += ["--port", str(reserved_port())]
    log = finished.data / "serving.log"
    with log.open("w") as out:
        process = subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(6_000):
            if "Serving until Ctrl-C" in log.read_text(encoding="utf-8"):
                break
            assert process.poll() is None, log.read_text(encoding="utf-8")
            process_wait(0.1)
        yield Places(finished.data)
    finally:
        process.terminate()
        process.wait(60)


def process_wait(seconds: float) -> None:
    """Between two looks at the log."""
    import time  # noqa: PLC0415 - nothing else here waits

    time.sleep(seconds)


def test_other_keys_with_the_same_external_ids_change_nothing_and_the_readme_says_the_truth(
    finished: Demo, serving: Places
):
    before = finished.accepted()
    address = json.loads(cli(serving, "where", "--json"))["url"]
    options = LoadOptions(
        base_url=address, tokens=tokens(serving, SALESFORCE, BILLING), in_flight=8, key_prefix="another"
    )
    report = asyncio.run(load(load_northwind(), options, lambda _: None))
    assert report.failures == []
    assert finished.accepted() == before
    for block in readme_blocks():
        run_readme(serving, block)
    with pytest.raises(AssertionError):
        run_readme(serving, "erp-gateway ledger trace no-such-document")


def cli(places: Places, *arguments: str) -> str:
    """A command of ours on the demo's data."""
    done = erp_gateway(*arguments, "--data", places.directory)
    assert done.returncode == 0, done.stderr
    return done.stdout


def readme_blocks() -> list[str]:
    """The console blocks of the README, in order, as one shell session each needs the ones before."""
    text = README.read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in text.split("```console")[1:]]
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    assert len(lines) >= 10
    return ["\n".join(lines)]


def run_readme(places: Places, script: str) -> str:
    """Run it in a shell that has the environment's commands on its path; every command must succeed."""
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("curl -s ", "curl -sf ")],
        cwd=README.parent,
        env=os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}", "ERP_GATEWAY_DATA": str(places.directory)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, f"{shlex.quote(script)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_on_postgresql_it_ties_out_too(tmp_path: Path, postgres_url: str):
    with demo(tmp_path / "demo", "--fresh", environment={"ERP_GATEWAY_STORE__URL": postgres_url}) as running:
        assert_ties_out(*running.finish())
    assert not (tmp_path / "demo" / "gateway.db").exists()


def test_fresh_refuses_while_another_process_holds_the_data(tmp_path: Path):
    with demo(tmp_path / "demo", "--fresh") as first:
        first.wait_until_accepted(10)
        with demo(tmp_path / "demo", "--fresh") as second:
            out, err = second.process.communicate(timeout=120)
            assert second.process.returncode == 2
            assert out == ""
            assert "Stop it first" in " ".join(err.split())
        assert first.process.poll() is None
