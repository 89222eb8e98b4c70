"""Builds the Go verifier once and asks it: `python -m tools.go_verifier.program DIRECTORY VERIFIER_KEY`.

The program lies in the virtual environment, named by the digest of its sources. Nothing is downloaded but Debian's own
packages, and those only where root runs this (install.sh).
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
MODULES: Final = "/usr/share/gocode"
"""Where Debian's packages of Go modules lie."""
INSTALL_LIMIT_S: Final = 600
BUILD_LIMIT_S: Final = 300
"""Longest that the compiler may take; about 30 s where it has to build Go's own library first."""
_TAIL: Final = 2_000


class GoVerifierMissing(RuntimeError):
    """The verifier cannot be installed, built or run; the message says what to do, or what the program said."""


@dataclass(frozen=True, slots=True)
class GoVerifier:
    """The built program."""

    program: Path

    def ask(self, requests: Iterable[dict[str, Any]], limit_s: float) -> list[dict[str, Any]]:
        """The answer to each request (main.go says which there are), from one process.

        Raises:
            GoVerifierMissing: it ended otherwise than with an answer to each, or took longer than `limit_s` seconds.
        """
        asked = [json.dumps(request) for request in requests]
        done = _run([str(self.program)], limit_s, given="".join(f"{line}\n" for line in asked))
        answers = [json.loads(line) for line in done.splitlines()]
        if len(answers) != len(asked):
            raise GoVerifierMissing(f"{len(asked)} requests, {len(answers)} answers")
        return answers


def go_verifier() -> GoVerifier:
    """The verifier, built if it is not yet. Processes that ask at the same time wait for the first.

    Raises:
        GoVerifierMissing: Go is not there and cannot be installed, or the sources do not compile.
    """
    folder = Path(sys.prefix) / "go-verifier"
    folder.mkdir(exist_ok=True)
    program = folder / f"verifier-{_digest()}"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _run(["sh", str(HERE / "install.sh")], INSTALL_LIMIT_S)
            _build(program, folder / "cache")
    return GoVerifier(program)


def _digest() -> str:
    """Of all that the program is built from."""
    found = hashlib.sha256()
    for source in sorted(HERE.glob("*.go")):
        found.update(source.read_bytes())
    return found.hexdigest()[:16]


def _build(program: Path, cache: Path) -> None:
    draft = program.with_suffix(".draft")
    # module mode is off: the library is Debian's copy below GOPATH, and no proxy is ever asked
    settings = {"GO111MODULE": "off", "GOPATH": MODULES, "GOCACHE": str(cache), "GOFLAGS": "", "CGO_ENABLED": "0"}
    _run(["go", "build", "-o", str(draft), "."], BUILD_LIMIT_S, settings)
    draft.replace(program)


def _run(words: Sequence[str], limit_s: float, settings: dict[str, str] | None = None, given: str | None = None) -> str:
    program = shutil.which(words[0])
    if program is None:
        raise GoVerifierMissing(f"{words[0]!r} is not there")
    try:
        done = subprocess.run(  # noqa: S603 - our own program or Debian's, no shell
            [program, *words[1:]],
            cwd=HERE,
            env=os.environ | (settings or {}),
            input="" if given is None else given,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired as error:
        raise GoVerifierMissing(f"{words[0]} took longer than {limit_s:g} s") from error
    if done.returncode != 0:
        raise GoVerifierMissing(f"{words[0]} ended with {done.returncode}:\n{(done.stderr or done.stdout)[-_TAIL:]}")
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Audit a published directory with Go alone; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m tools.go_verifier.program", description=__doc__)
    parser.add_argument("directory", type=Path, help="the directory with checkpoint and tile/")
    parser.add_argument("key", help="the log's verifier key")
    asked = parser.parse_args(arguments)
    request = {
        "do": "audit",
        "directory": str(asked.directory.resolve()),
        "origin": asked.key.partition("+")[0],
        "keys": [asked.key],
    }
    (answer,) = go_verifier().ask([request], limit_s=86_400)
    sys.stdout.write(f"{json.dumps(answer)}\n")
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
