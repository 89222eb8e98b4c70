"""A gateway process on in-memory parts: `python -m tests.api.serving PORT`. Prints a token when it is built."""

from __future__ import annotations

import sys
from dataclasses import replace

from litestar import Litestar

from gateway.api.limits import Limits
from gateway.app import create_app
from gateway.server import run
from tests.api.conftest import World
from tests.api.fakes import transaction


def _say(text: str) -> None:
    print(text, flush=True)


async def _build() -> Litestar:
    world = World()
    world.reads.hold(transaction(1))
    _say(world.token()["Authorization"])

    async def started() -> None:
        _say("started")

    async def stopped() -> None:
        _say("stopped")

    parts = replace(world.parts(), limits=Limits(body_seconds=1.5), on_startup=(started,), on_shutdown=(stopped,))
    return create_app(parts)


if __name__ == "__main__":
    run(_build, "127.0.0.1", int(sys.argv[1]))
