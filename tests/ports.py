"""Ports for servers that a test starts, and starts again."""

from __future__ import annotations

import socket


def reserved_port() -> int:
    """A port of 127.0.0.1 that is the asker's until this process ends, whether a server listens there or not.

    A port that was only looked up may be any connection's before the server binds it, or while the server is
    restarted. So it stays bound here, without listening: the kernel gives it to nobody who asks for any port, and
    SO_REUSEADDR, which servers set, lets one listen beside it.
    """
    kept = socket.socket()
    kept.bind(("127.0.0.1", 0))  # nobody else holds it: SO_REUSEADDR comes after
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = kept.getsockname()[1]
    kept.detach()  # open to the end of this process, and no object that Python would complain of then
    return port
