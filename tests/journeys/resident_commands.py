"""The command `erp-gateway` for a shell, without its imports each time.

One process imports the command line and forks for every call; what is called `erp-gateway` on the path hands over its
arguments, directory, environment, stdout and stderr. What runs is the program itself, in a process of its own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

READY_S = 120.0
"""For the imports, on a busy machine."""

_CALLER = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(line, [len(told).to_bytes(4, "big")], [1, 2])
    line.sendall(told)
    sys.exit(int(line.recv(4) or b"70"))
"""


@contextmanager
def commands(directory: Path) -> Iterator[Path]:
    """A directory for the path that holds `erp-gateway`. `directory`: a short one, since it holds a socket too."""
    address = directory / "commands"
    caller = directory / "bin" / "erp-gateway"
    caller.parent.mkdir()
    caller.write_text(_CALLER.format(python=sys.executable, address=str(address)), encoding="utf-8")
    caller.chmod(0o755)
    with (directory / "commands.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", __name__, address], stdout=log, stderr=log)
    try:
        until = time.monotonic() + READY_S
        while not address.exists():
            assert process.poll() is None, (directory / "commands.log").read_text()
            assert time.monotonic() < until, "the command line is not imported yet"
            time.sleep(0.05)
        yield caller.parent
    finally:
        process.terminate()
        process.wait(30)


def serve(address: str) -> None:
    """Fork for each call until terminated."""
    import gateway.cli  # noqa: PLC0415 - once, here, is what this process is for

    for one in Path(gateway.cli.__file__).parent.glob("[a-z]*.py"):
        import_module(f"gateway.cli.{one.stem}")

    fresh = f"{address}.new"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(fresh)
        door.listen()
        Path(fresh).rename(address)
        while True:
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                with line:
                    line.sendall(str(_called(line, gateway.cli.main)).encode())
                os._exit(0)
            line.close()
            _bury()


def _called(line: socket.socket, main: Callable[[], None]) -> int:
    """Run one command in a child of this child, so that whatever ends it is its exit code."""
    size, descriptors, _, _ = socket.recv_fds(line, 4, 2)
    told = b""
    while len(told) < int.from_bytes(size, "big"):
        told += line.recv(65_536)
    arguments, directory, environment = json.loads(told)
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for number, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, number)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["erp-gateway", *arguments]
    code = 70
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # what the interpreter would do with it, in a process that must end right here
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _bury() -> None:
    """Calls that ended."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


if __name__ == "__main__":
    serve(sys.argv[1])
