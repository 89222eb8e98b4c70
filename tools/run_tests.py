"""All tests, in parts beside each other: `python -m tools.run_tests`.

A part is one pytest run: a folder of `tests`, or one file where the folder's files are long and start processes of
their own. Many parts wait (for time limits of peers, for processes that start), so there is one part more under way
than there are processors. What a part printed is shown when it failed; the last line sums up as pytest does, and the
exit code is 0 only if every part passed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TESTS: Final = ROOT / "tests"

BY_FILE: Final = frozenset({"faults", "journeys"})
"""Folders whose files are parts of their own."""

LONGEST: Final = (
    "tests/contract",
    "tests/store",
    "tests/api",
    "tests/line",
    "tests/rules",
    "tests/unit",
    "tests/fuzz",
    "tests/cutover",
    "tests/contracts",
    "tests/simulation",
    "tests/ledger",
    "tests/journeys/test_northwind.py",
)
"""What takes longest is begun first, so that nothing long is left at the end. The order is all that this decides."""

TEST_LIMIT_S: Final = "400"
"""Of one test that says nothing of its own: parts beside each other slow each other down."""

LIMIT_S: Final = 2_400
"""A part that takes longer hangs."""

UNUSED: Final = ("schemathesis", "faker", "anyio")
"""Plugins of pytest that come with what the tests use. No test asks for them, and each part would import them."""

BYTECODE: Final = Path(sys.prefix) / "bytecode"
"""Where compiled modules are kept when the tree shall have none."""

_COUNTED: Final = re.compile(r"(\d+) (passed|failed|errors?|skipped|subtests passed)\b")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a part ended: pytest's exit code, what it printed, how long it took, and how long a processor worked for it
    and for what it started, in seconds."""

    part: str
    code: int
    output: str
    seconds: float
    worked: float

    @property
    def counts(self) -> dict[str, int]:
        """What pytest's last line counted, by its own words."""
        lines = self.output.strip().splitlines() or [""]
        return {word: int(number) for number, word in _COUNTED.findall(lines[-1])}

    def __str__(self) -> str:
        counted = ", ".join(f"{number} {word}" for word, number in self.counts.items()) or "nothing counted"
        return f"{self.part}: {counted} in {self.seconds:.0f} s ({self.worked:.0f} s of a processor)"


def parts() -> list[str]:
    """Every part that has a test, the longest first. Each test file is in exactly one."""
    found = sorted(_parts())
    return [part for part in LONGEST if part in found] + [part for part in found if part not in LONGEST]


def _parts() -> Iterator[str]:
    for folder in TESTS.iterdir():
        files = sorted(folder.rglob("test_*.py")) if folder.is_dir() else []
        if folder.name in BY_FILE:
            yield from (file.relative_to(ROOT).as_posix() for file in files)
        elif files:
            yield folder.relative_to(ROOT).as_posix()


def run(part: str) -> Ended:
    """One pytest run. Its cache is its own business: parts must not write into one."""
    begun = time.monotonic()
    without = [word for plugin in ("cacheprovider", *UNUSED) for word in ("-p", f"no:{plugin}")]
    command = [sys.executable, "-m", "pytest", "-q", *without, "--timeout", TEST_LIMIT_S, part]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=_environment(), stdout=output, stderr=subprocess.STDOUT
        )
        limit = threading.Timer(LIMIT_S, process.kill)
        limit.start()
        _, status, used = os.wait4(process.pid, 0)
        limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        seconds, worked = time.monotonic() - begun, used.ru_utime + used.ru_stime
        return Ended(part, process.returncode, output.read(), seconds, worked)


def _environment() -> dict[str, str]:
    """Of a part and of the processes that its tests start. Hundreds of processes start: where the environment forbids
    bytecode beside the sources, each would compile all that it imports."""
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(BYTECODE))
    return environment


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(streams: int) -> int:
    """Run all; 0 if every part passed."""
    begun = time.monotonic()
    todo = parts()
    ended: list[Ended] = []
    with ThreadPoolExecutor(streams) as pool:
        for future in as_completed([pool.submit(run, part) for part in todo]):
            one = future.result()
            ended.append(one)
            _say(f"[{len(ended)}/{len(todo)}] {one}")
            if one.code != 0:
                _say(one.output)
    return _summed_up(ended, time.monotonic() - begun)


def _summed_up(ended: Sequence[Ended], seconds: float) -> int:
    totals: dict[str, int] = {}
    for one in ended:
        for word, number in one.counts.items():
            totals[word] = totals.get(word, 0) + number
    failed = [one for one in ended if one.code != 0]
    for one in failed:
        _say(f"FAILED {one.part} (exit code {one.code})")
        _say("\n".join(line for line in one.output.splitlines() if line.startswith(("FAILED ", "ERROR "))))
    counted = ", ".join(f"{number} {word}" for word, number in sorted(totals.items()))
    _say(f"===== {counted} in {seconds:.2f}s ({len(ended)} parts, {len(failed)} failed) =====")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main((os.cpu_count() or 1) + 1))
