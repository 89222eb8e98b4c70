"""A port is held for the servers of the demo, and of the benchmarks, from the time it was chosen on."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from gateway.demo.places import Memory
from gateway.demo.ports import hold_any_port, hold_port

pytestmark = pytest.mark.enable_socket
HELD = pytest.mark.skipif(sys.platform != "linux", reason="only there can a port be held")


def _listens(port: int) -> socket.socket:
    """As servers do."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    return server


def _anybody_gets(port: int) -> bool:
    """Whether one who asks for it, and does not know that it is held, has it."""
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@HELD
def test_all_ports_of_a_demo_are_held_before_anything_listens_there(tmp_path: Path) -> None:
    first = Memory.recall(tmp_path / "demo.json", gateway_port=None)
    again = Memory.recall(tmp_path / "demo.json", gateway_port=None)
    asked = Memory.recall(tmp_path / "other.json", gateway_port=hold_any_port())
    assert again == first
    for one in (first, asked):
        ports = {one.gateway_port, one.legacy_port, one.cloud_port}
        assert len(ports) == 3
        for port in ports:
            assert not _anybody_gets(port)


@HELD
def test_a_server_listens_there_and_again() -> None:
    port = hold_any_port()
    for _ in range(2):
        with _listens(port), socket.create_connection(("127.0.0.1", port), timeout=5):
            assert not hold_port(port), "a server listens"
        assert not _anybody_gets(port)
    assert hold_port(port)


def test_a_port_is_not_given_twice(tmp_path: Path) -> None:
    """Also where the gateway is to have the one that an ERP had."""
    first = Memory.recall(tmp_path / "demo.json", gateway_port=None)
    moved = Memory.recall(tmp_path / "demo.json", gateway_port=first.legacy_port)
    assert moved.gateway_port == first.legacy_port
    assert len({moved.gateway_port, moved.legacy_port, moved.cloud_port}) == 3
    with _listens(first.cloud_port):
        assert Memory.recall(tmp_path / "demo.json", gateway_port=None).cloud_port != first.cloud_port
