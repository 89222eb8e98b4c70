"""The tree is as its own rules say."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "routing_rules", "adapters")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_LINES = 330


def _names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("path", MODULES, ids=_names(MODULES))
def test_a_module_is_small_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES, "split it by noun"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module begins with what it is for"


def test_no_module_is_called_after_nothing():
    nothing = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
    assert [path for path in MODULES if path.stem in nothing] == []


def test_the_domain_never_awaits():
    for path in (ROOT / "gateway" / "domain").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        awaits = [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef)]
        assert awaits == [], path


def test_only_the_one_file_of_each_door_imports_its_library():
    doors = {
        "nats": "gateway/messaging/",
        "aiohttp": "adapters/transport",
        "sqlalchemy": "gateway/store/",
        "asyncpg": "gateway/store/",
        "sqlite3": "gateway/store/",
        "alembic": "gateway/store/",
    }
    for path in MODULES:
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name.split(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported = [(node.module or "").split(".")[0]]
            for library in imported:
                if (name, library) == ("gateway/demo/erps.py", "sqlite3"):
                    continue  # the test ERP's own file, before its start
                assert name.startswith(doors.get(library, "")), f"{name} imports {library}"


def test_adapters_use_the_opentelemetry_api_only():
    for path in (ROOT / "adapters").rglob("*.py"):
        assert "opentelemetry.sdk" not in path.read_text(encoding="utf-8"), path


def test_layers_hold():
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
