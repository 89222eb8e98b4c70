"""Run as a script: a gateway's process that starts an embedded server and lives until it is killed.

`python parent.py <directory> [deaf]`; prints the server's pid and address. `deaf` takes the death signal away, as on a
system without one, so that the server is left behind.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from gateway.messaging import launch
from gateway.messaging.server import EmbeddedServer


def without_death_signal() -> None:
    """The launcher asks the kernel for it on Linux only; let it take this for elsewhere."""
    copy = Path(sys.argv[1]).with_name("launch_elsewhere.py")
    copy.write_text(Path(launch.__file__).read_text().replace('== "linux"', '== "elsewhere"'))
    launch.__file__ = str(copy)


async def main() -> None:
    server = EmbeddedServer(Path(sys.argv[1]))
    address = await server.start()
    print(json.dumps({"pid": server.pid, "url": address.url}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if "deaf" in sys.argv:
        without_death_signal()
    asyncio.run(main())
