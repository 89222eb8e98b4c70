"""The embedded server: its files, its lives, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gateway.messaging.errors import ServerNotStarted
from gateway.messaging.server import EmbeddedServer, find_binary
from gateway.messaging.server_directory import ServerDirectory
from tests.messaging.conftest import Bench, until, with_a_port
from tests.messaging.outbox import event


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def parent(directory: Path, *words: str) -> tuple[subprocess.Popen[bytes], int, str]:
    """A child Python process that runs an embedded server; itself, the server's pid and address."""
    script = Path(__file__).with_name("parent.py")
    root = Path(__file__).parents[2]

    def begin() -> tuple[subprocess.Popen[bytes], bytes]:
        process = subprocess.Popen([sys.executable, script, directory, *words], stdout=subprocess.PIPE, cwd=root)
        assert process.stdout is not None
        with process.stdout:
            return process, process.stdout.readline()

    process, line = await asyncio.to_thread(begin)
    said = json.loads(line)
    return process, said["pid"], said["url"]


async def test_only_its_owner_may_read_its_secrets(bench: Bench) -> None:
    assert stat.S_IMODE(bench.directory.stat().st_mode) == 0o700
    for name in ("credentials.json", "server.conf", "server.lock"):
        assert stat.S_IMODE((bench.directory / name).stat().st_mode) == 0o600, name
    password = bench.address.password
    assert len(password) >= 40
    assert password not in repr(bench.address)
    assert password not in " ".join(psutil.Process(bench.server.pid).cmdline())
    assert password not in (bench.directory / "server.log").read_text()


async def test_what_it_acknowledged_is_soon_on_the_disk(bench: Bench) -> None:
    """By default it syncs every two minutes: an acknowledged event may be lost for as long. The outbox keeps it, and
    publishes it again; the shorter time keeps that rare."""
    config = json.loads((bench.directory / "server.conf").read_text())
    assert config["jetstream"]["sync_interval"] == "10s"


async def test_it_listens_on_loopback_only(bench: Bench) -> None:
    listening = [one for one in psutil.Process(bench.server.pid).net_connections("inet") if one.status == "LISTEN"]
    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}


async def test_stop_ends_it_and_start_keeps_address_credentials_and_messages(bench: Bench) -> None:
    stream = bench.stream()
    await stream.prepare()
    await stream.publish(event("a", 1), after=0)
    pid = bench.server.pid
    assert pid is not None
    await bench.server.stop()
    assert not alive(pid)
    assert bench.server.pid is None
    await bench.server.stop()  # again changes nothing
    assert await bench.server.start() == bench.address
    assert ServerDirectory(bench.directory).address() == bench.address
    assert (await stream.prepare()).last_sequence == 1


async def test_it_is_started_again_when_it_dies(bench: Bench) -> None:
    stream = bench.stream()
    await stream.prepare()
    await bench.kill_server()
    await until(lambda: bench.server.pid is not None)
    assert (await stream.prepare()).last_sequence == 0


async def test_a_fixed_port_that_is_taken_is_an_error_with_its_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerNotStarted, match="address already in use"):
            await EmbeddedServer(tmp_path / "nats", port=port).start()


async def test_the_last_port_is_left_when_somebody_has_taken_it(bench: Bench) -> None:
    await bench.server.stop()
    port = int(bench.address.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        address = await bench.server.start()
        assert address.url != bench.address.url
        assert address.password == bench.address.password


async def test_a_directory_in_use_is_refused(bench: Bench) -> None:
    with pytest.raises(ServerNotStarted, match=f"in use by process {os.getpid()}"):
        await EmbeddedServer(bench.directory).start()
    assert bench.server.pid is not None
    assert alive(bench.server.pid)


async def test_a_server_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(100)\n")
    sleeper.chmod(0o700)
    server = EmbeddedServer(tmp_path / "nats", binary=sleeper, start_limit_s=3.0)
    with pytest.raises(ServerNotStarted, match=r"no answer in 3 s"):
        await server.start()
    words = json.loads((tmp_path / "nats" / "process.json").read_text())
    assert not alive(words["pid"])


async def test_it_ends_when_its_gateway_is_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the kernel's signal at the parent's death is Linux's")
    process, pid, url = await parent(with_a_port(tmp_path / "nats"))
    assert alive(pid)
    process.kill()
    process.wait()
    await until(lambda: not alive(pid))
    async with EmbeddedServer(tmp_path / "nats") as server:
        assert server.pid != pid
        address = ServerDirectory(tmp_path / "nats").address()
        assert address is not None
        assert address.url == url


async def test_an_orphan_is_ended_by_the_next_start(tmp_path: Path) -> None:
    process, pid, url = await parent(with_a_port(tmp_path / "nats"), "deaf")
    process.kill()
    process.wait()
    assert alive(pid)
    server = EmbeddedServer(tmp_path / "nats")
    try:
        address = await server.start()
        assert not alive(pid)
        assert server.pid != pid
        assert address.url == url
    finally:
        await server.stop()


async def test_an_orphan_that_does_not_listen_to_reason_is_killed(tmp_path: Path) -> None:
    process, pid, _ = await parent(tmp_path / "nats", "deaf")
    process.kill()
    process.wait()
    os.kill(pid, signal.SIGSTOP)
    server = EmbeddedServer(tmp_path / "nats")
    try:
        await server.start()
        assert not alive(pid)
    finally:
        await server.stop()


async def test_a_pid_that_was_given_to_another_process_is_left_alone(tmp_path: Path) -> None:
    directory = ServerDirectory(tmp_path / "nats")
    directory.prepare()
    words = {"pid": os.getpid(), "started": "1", "parentPid": 1, "parentStarted": "1"}
    directory.record.write_text(json.dumps(words))
    assert directory.process() is None
    async with EmbeddedServer(tmp_path / "nats") as server:
        assert server.pid is not None


def test_the_binary_is_found() -> None:
    said = subprocess.run([find_binary(), "-v"], capture_output=True, check=True, text=True).stdout
    assert said.startswith("nats-server: v2.")
