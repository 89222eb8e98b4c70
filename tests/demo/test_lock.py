"""What a demo says that cannot lock its data directory."""

from __future__ import annotations

from pathlib import Path

from tests.command_line import erp_gateway


def test_a_lock_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    in_the_way = tmp_path / ".data.lock"
    in_the_way.mkdir()
    done = erp_gateway("demo", "--data", tmp_path / "data", "--exit-when-done", environment={"COLUMNS": "500"})
    assert done.returncode == 2
    assert f"{in_the_way} cannot be written: Is a directory" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
