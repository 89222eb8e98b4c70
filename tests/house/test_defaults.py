"""Defaults of libraries that fail are not used anywhere; docs/defaults-mended.md says what stands in their place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for package in ("gateway", "routing_rules", "adapters") for path in (ROOT / package).rglob("*.py")
)
TABLE = ROOT / "docs" / "defaults-mended.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)(?:\[[^`]*\])?`")
_PATTERN_USERS = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}


def _calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a module with its dotted name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _said(call: ast.Call) -> dict[str, str]:
    return {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}


def test_no_client_of_httpx_asks_the_environment_for_a_proxy_or_follows_redirects():
    found = 0
    for path in MODULES:
        for name, call in _calls(path):
            assert name not in {f"httpx.{verb}" for verb in ("get", "post", "put", "delete", "request", "stream")}, path
            if name in {"httpx.AsyncClient", "httpx.Client"}:
                found += 1
                assert _said(call).get("trust_env") == "False", f"{path}:{call.lineno}"
                assert _said(call).get("follow_redirects", "False") == "False", f"{path}:{call.lineno}"
    assert found >= 2


def test_no_pattern_lets_a_last_line_feed_pass():
    r"""In Python's `re`, `$` also matches before a last line feed: `<id>\n` would be an id. It is `\Z` there."""
    for path in MODULES:
        for name, call in _calls(path):
            module, _, function = name.partition(".")
            if module != "re" or function not in _PATTERN_USERS or not call.args:
                continue
            if "MULTILINE" in ast.unparse(call):
                continue
            for part in ast.walk(call.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    without = re.sub(r"\\.|\[[^\]]*\]", "", part.value)
                    assert "$" not in without, f"{path}:{call.lineno}"


def test_writes_do_not_go_through_the_asynchronous_engine():
    engines = {path.name for path in MODULES for name, _ in _calls(path) if name.endswith("create_async_engine")}
    # owner.py makes and moves whole tables, as a migration does
    assert engines == {"reader.py", "sqlite_reading.py", "migrate.py", "owner.py"}


def test_no_audit_runs_that_finds_nothing_because_it_skipped_everything():
    for path in (ROOT / ".ci" / "run", ROOT / "Makefile", ROOT / "pyproject.toml"):
        assert "pip-audit" not in path.read_text(encoding="utf-8")


def _rows() -> list[str]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith(("| part", "| ---"))]


def test_every_row_of_the_table_names_a_test():
    rows = _rows()
    assert len(rows) > 20
    assert [row for row in rows if not NAMED.search(row)] == []


@pytest.mark.parametrize(
    ("file", "name"), sorted(set(NAMED.findall(TABLE.read_text(encoding="utf-8")))), ids=lambda value: Path(value).name
)
def test_a_test_that_the_table_names_is_there(file: str, name: str):
    path = ROOT / file
    assert path.exists(), f"{file} is gone; mend docs/defaults-mended.md"
    functions = {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in functions, f"{file} has no {name}; mend docs/defaults-mended.md"
