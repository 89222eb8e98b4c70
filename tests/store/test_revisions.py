"""The revisions that file names tell are those of the steps; a database that needs none is opened without Alembic."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from gateway.store.migrate import migrate
from gateway.store.revisions import VERSIONS, known_revisions, newest_revision

STARTED = """
import asyncio, sys
from gateway.store.migrate import migrate
from gateway.store.store import open_store

async def start(url):
    await migrate(url)
    await (await open_store(url)).close()

asyncio.run(start(sys.argv[1]))
assert "alembic" not in sys.modules
"""


def test_file_names_tell_the_revisions_in_their_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(one.revision for one in scripts.walk_revisions())[::-1] == known_revisions()
    assert scripts.get_current_head() == newest_revision()


async def test_a_database_that_needs_no_step_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    await migrate(url)
    start = [sys.executable, "-c", STARTED, url]
    done = await asyncio.to_thread(subprocess.run, start, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
