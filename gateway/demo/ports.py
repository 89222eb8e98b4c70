"""Ports of 127.0.0.1 for servers that this process starts, and starts again.

A port that was only looked up may be any connection's before the server binds it, or while the server is started again.
On Linux it is held: bound here until this process ends, without listening. The kernel gives it to no connection then,
and to nobody who asks for any port; and SO_REUSEADDR, which servers set, lets one listen beside it. Elsewhere no second
socket could be bound beside this one, so there it is only looked up.
"""

from __future__ import annotations

import socket
import sys
from typing import Final

_HOST: Final = "127.0.0.1"


def hold_any_port() -> int:
    """A free one, held. Raises OSError where there is none."""
    with socket.socket() as kept:
        kept.bind((_HOST, 0))
        # nobody has it by now; set before, it might be one that another process holds like this
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port: int = kept.getsockname()[1]
        _keep(kept)
        return port


def hold_port(port: int) -> bool:
    """Whether that one is free; then it is held."""
    with socket.socket() as kept:
        # of a server that ended a moment ago there may be connections in TIME_WAIT
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            kept.bind((_HOST, port))
        except OSError:
            return False
        _keep(kept)
        return True


def _keep(bound: socket.socket) -> None:
    """Open to the end of this process; its children do not inherit it (PEP 446)."""
    if sys.platform == "linux":
        bound.detach()
