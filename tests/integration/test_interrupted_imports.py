"""Ctrl-C while a command is still importing: exit code 130, and nothing is said."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

LIMIT_S: Final = 60.0
PLANTED: Final = "print('importing', flush=True)\nimport signal\nwhile True:\n    signal.pause()\n"
"""Says that its import has begun, and never ends it."""
SCRIPT: Final = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from importlib.util import spec_from_file_location
slow, planted = sys.argv[1:]
class Planted:
    def find_spec(self, name, path=None, target=None):
        return spec_from_file_location(name, planted) if name == slow else None
sys.meta_path.insert(0, Planted())
sys.argv = ["erp-gateway", "where"]
from gateway.cli import main
sys.exit(main())
"""
"""As the installed script. A background job of a shell ignores Ctrl-C, and so would what the tests start from there."""


@pytest.mark.parametrize("slow", ["typer", "gateway.settings", "gateway.cli.where"])
def test_it_ends_quietly(tmp_path: Path, slow: str) -> None:
    """`slow`: before `main` is there, and after."""
    planted = tmp_path / "planted.py"
    planted.write_text(PLANTED, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, slow, str(planted)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "importing\n"
            child.send_signal(signal.SIGINT)
            assert child.communicate(timeout=LIMIT_S) == ("", "")
        finally:
            child.kill()
    assert child.returncode == 130
