"""deploy/nats/nats.conf is one that nats-server takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from gateway.domain.events import EVENT_LIMIT_BYTES
from gateway.messaging.server import find_binary

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_what_it_acknowledges_is_on_the_disk():
    """By default it would be up to two minutes later."""
    text = (DEPLOY / "nats" / "nats.conf").read_text(encoding="utf-8")
    assert re.search(r"(?m)^\s*sync_interval: always$", text)


def test_one_event_of_the_longest_fits_with_its_headers():
    text = (DEPLOY / "nats" / "nats.conf").read_text(encoding="utf-8")
    found = re.search(r"(?m)^max_payload: (\d+)MB$", text)
    assert found is not None
    assert int(found[1]) * 1_048_576 > EVENT_LIMIT_BYTES + 100_000


def test_the_server_accepts_its_configuration_with_the_included_secret(tmp_path: Path):
    config = shutil.copy(DEPLOY / "nats" / "nats.conf", tmp_path)
    (tmp_path / "authorization.conf").write_text('user: "gateway", password: "p"\n', encoding="utf-8")
    done = subprocess.run([find_binary(), "-t", "-c", config], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
