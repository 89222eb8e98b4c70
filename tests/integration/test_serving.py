"""Serving where somebody else listens: one line that says where and what to do, however verbose the libraries are."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.command_line import erp_gateway
from tests.integration.test_wiring import data

__all__ = ["data"]


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_port_that_is_taken_is_told_in_one_line(data: Path, command: str) -> None:
    section = "http" if command == "serve" else "work"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {"RUST_BACKTRACE": "1", "ERP_GATEWAY_TELEMETRY__LOG_LEVEL": "error"}
        environment[f"ERP_GATEWAY_{section.upper()}__PORT"] = str(port)
        done = erp_gateway(command, "--data", data, environment=environment)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert f"set another {section}.port" in done.stderr
    assert "backtrace" not in done.stderr
    assert "Traceback" not in done.stderr
