"""A document's console blocks, run command by command in one shell, and compared with what the document shows.

A line that begins with `$ ` is a command, and goes on in lines that begin with `> `; other lines below it, to the next
command, are of its output. `…` stands for anything. A command that ends with `# refused` must fail. What is shown must
occur in the output in this order, and more may.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

REFUSED: Final = "# refused"
LIMIT_S: Final = 180.0
"""Of one command; those that wait for an activation take some seconds."""


@dataclass
class Command:
    """One command, and the output that the document shows for it."""

    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """The document says that it fails."""
        return self.text.endswith(REFUSED)


@dataclass(frozen=True)
class Step:
    """A section of the document. `name`: its heading without the number."""

    name: str
    commands: Sequence[Command]


def steps_of(text: str) -> list[Step]:
    """The sections and subsections that have commands, in their order."""
    found = []
    for section in re.split(r"^###? ", text, flags=re.MULTILINE)[1:]:
        heading = section.splitlines()[0]
        commands = [
            one
            for block in re.findall(r"^```console\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
            for one in _read(block)
        ]
        if commands:
            found.append(Step(re.sub(r"^\d+\. ", "", heading), commands))
    return found


def _read(block: str) -> list[Command]:
    commands: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append(Command(line[2:]))
        elif line.startswith("> "):
            commands[-1].text += f"\n{line[2:]}"
        elif line.strip():
            assert commands, f"output before any command: {line}"
            commands[-1].shown.append(line)
    return commands


class Shell:
    """One bash that keeps variables and functions from command to command."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        self._process = process
        self._directory = directory

    def run(self, command: Command) -> str:
        """Run it, and compare; its output."""
        code, output = self._told(command.text)
        assert (code != 0) == command.is_refused, f"$ {command.text}\nexit code {code}\n{output}"
        missing = _missing(command.shown, output)
        assert missing is None, f"$ {command.text}\nthe document shows:\n{missing}\nit prints:\n{output}"
        return output

    def value(self, expression: str) -> str:
        """What the shell makes of it, such as a variable."""
        return self._told(f'printf %s "{expression}"')[1]

    def _told(self, text: str) -> tuple[int, str]:
        out = self._directory / "output"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {text}\n}} > {out} 2>&1 < /dev/null; echo $?\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LIMIT_S)
        printed = out.read_text(encoding="utf-8", errors="replace")
        assert ready, f"$ {text}\nhas not ended after {LIMIT_S} s:\n{printed}"
        return int(self._process.stdout.readline()), printed


@contextmanager
def shell(directory: Path, path: Path, environment: dict[str, str]) -> Iterator[Shell]:
    """In `directory`, with `path` before everything else on the path."""
    directory.mkdir(exist_ok=True)
    process = subprocess.Popen(
        ["bash", "--norc", "-o", "pipefail"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=directory,
        env=os.environ | environment | {"PATH": f"{path}:{os.environ['PATH']}"},
    )
    try:
        yield Shell(process, directory.parent)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _missing(shown: Sequence[str], output: str) -> str | None:
    """The first line that is shown and does not come; spaces between words mean nothing."""
    lines = iter(" ".join(line.split()) for line in output.splitlines())
    for one in shown:
        wanted = re.compile(".*".join(re.escape(part) for part in " ".join(one.split()).split("…")))
        if not any(wanted.fullmatch(line) for line in lines):
            return one
    return None
