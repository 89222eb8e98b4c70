"""A process that was told to end, and does not come to its end, ends all the same."""

from __future__ import annotations

import subprocess
import sys

NEVER_ENDS = """
import asyncio, os, signal, time
from gateway.stopping import Stop

async def main():
    stop = Stop(end_s=0.2)
    with stop.listening():
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        time.sleep(60)  # nothing of the loop runs any more

asyncio.run(main())
"""


def test_it_ends_itself_when_its_time_is_over() -> None:
    ended = subprocess.run([sys.executable, "-c", NEVER_ENDS], capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 1
    assert "ends_unfinished" in ended.stdout + ended.stderr
