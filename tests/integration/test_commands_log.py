"""What goes wrong behind a command that reads the record is a log line on stderr, without the values at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.command_line import erp_gateway

_SAYS = """
import sys
from pathlib import Path
import structlog
from gateway.cli.record import reading

secret = "swordfish"

async def ask(store):
    try:
        raise ValueError(secret)
    except ValueError:
        structlog.get_logger().exception("it_broke")
    return 1

sys.stdout.write(str(reading(Path(sys.argv[1]), ask)))
"""


def test_it_is_told_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('rulebook = "rulebook"\n', encoding="utf-8")
    migrated = erp_gateway("migrate", "--data", tmp_path)
    assert migrated.returncode == 0, migrated.stderr
    done = subprocess.run(
        [sys.executable, "-c", _SAYS, str(tmp_path)], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "1", "the answer, and nothing else: programs read it"
    assert '"event": "it_broke"' in done.stderr
    assert "swordfish" not in done.stderr
