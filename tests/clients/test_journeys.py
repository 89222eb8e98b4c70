"""Clients that were generated from our documents make the Northwind journey on a real gateway and two ERPs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.generating import check_types, python_package, typescript_program
from tests.clients.journey import EXPECTED, journey, northwind
from tests.clients.running import Running, running_gateway
from tests.clients.stripping_proxy import stripping_proxy
from tools.node.installation import NodeTools, node_tools

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HERE = Path(__file__).parent
OPENAPI = HERE.parents[1] / "docs" / "openapi"
FULL, FLAT = OPENAPI / "openapi.json", OPENAPI / "openapi-salesforce.json"
PYTHON = HERE / "python_client.py"
JOURNEY_S = 240.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_gateway(tmp_path_factory.mktemp("clients") / "data", masters=northwind()) as found:
        yield found


@pytest.fixture(scope="module")
def installed() -> NodeTools:
    return node_tools()


def _travelled(running: Running, address: str, prefix: str, *command: str | Path, **environment: str) -> Any:
    done = subprocess.run(
        [*command, address, running.token("salesforce"), running.token("billing")],
        input=json.dumps(journey(prefix)),
        env=os.environ | {"NO_PROXY": "*"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=JOURNEY_S,
    )
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}\n{running.log()}"
    return json.loads(done.stdout)


def test_in_python(running: Running, tmp_path: Path) -> None:
    python_package(FULL, tmp_path)
    check_types(PYTHON, tmp_path)
    assert _travelled(running, running.base_url, "PY-", sys.executable, PYTHON, PYTHONPATH=str(tmp_path)) == EXPECTED


def test_in_python_from_the_flat_document_without_a_header_of_any_answer(running: Running, tmp_path: Path) -> None:
    """As Salesforce has to do it: everything is in the bodies."""
    python_package(FLAT, tmp_path)
    check_types(PYTHON, tmp_path)
    with stripping_proxy(running.base_url) as (address, stripped):
        met = _travelled(running, address, "SF-", sys.executable, PYTHON, PYTHONPATH=str(tmp_path))
    assert met == EXPECTED
    assert {"location", "etag", "traceparent", "www-authenticate", "cache-control"} <= stripped


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, installed: NodeTools) -> Path:
    return typescript_program(FULL, tmp_path_factory.mktemp("typescript"), installed)


def test_in_typescript(running: Running, program: Path, installed: NodeTools) -> None:
    met = _travelled(running, running.base_url, "TS-", installed.node, program)
    assert met == EXPECTED | {"asked later": [202, "posted"]}


MISTAKES = {
    "null is forgotten": ("found.routedTo?.systemId", "found.routedTo.systemId"),
    "no such member": ("ifMatch: before.etag", "ifMatch: before.eTag"),
    "another type": ("{ path: { lineageId } }", "{ path: { lineageId: 7 } }"),
    "no such address": ('"/v1/orders/{documentId}/cancel"', '"/v1/orders/{documentId}/close"'),
}


def test_the_compiler_knows_the_document(program: Path, installed: NodeTools) -> None:
    """Each mistake of a caller is a complaint about its line. What an open answer does not name has no type."""
    lines = program.with_suffix(".ts").read_text(encoding="utf-8").splitlines()
    places = {}
    for name, (right, wrong) in MISTAKES.items():
        number = next(number for number, line in enumerate(lines) if right in line)
        lines[number] = lines[number].replace(right, wrong)
        places[name] = number + 1
    mistaken = program.with_name("mistaken.ts")
    mistaken.write_text("\n".join(lines), encoding="utf-8")
    settings = json.loads(program.with_name("tsconfig.json").read_text(encoding="utf-8"))
    (program.parent / "mistaken.json").write_text(json.dumps(settings | {"files": [mistaken.name]}), encoding="utf-8")
    compiled = installed.run("typescript/bin/tsc", "--noEmit", "--project", program.parent / "mistaken.json")
    assert compiled.returncode != 0
    unseen = [name for name, number in places.items() if f"mistaken.ts({number}," not in compiled.stdout]
    assert unseen == [], compiled.stdout
