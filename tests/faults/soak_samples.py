"""What is measured of a process that lives long, and when it is called flat."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEMORY_SHARE: Final = 0.03
"""Resident memory is flat if the median of the last third of a life is at most this above that of the second third."""
DESCRIPTORS: Final = 8
"""Open files are, if their median rises by no more than this: a connection more or less is weather."""
THREADS: Final = 4
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at`: seconds since the beginning. `memory`: resident, in bytes; `wal`: the database's log on disk, in
    bytes; `queue`: jobs; `waiting`: events that are not published. `p50`, `p99`: of the answers since the look before,
    in seconds."""

    at: float
    memory: int
    descriptors: int
    threads: int
    wal: int
    queue: int
    waiting: int
    p50: float
    p99: float


def of_process(pid: int) -> tuple[int, int, int]:
    """Resident memory in bytes, open files, threads."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if line
    )
    return int(status["VmRSS"].split()[0]) * 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())), int(status["Threads"])


def quantile(of: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed; 0 for none."""
    return sorted(of)[min(len(of) - 1, int(share * len(of)))] if of else 0.0


def not_flat(
    samples: Sequence[Sample], memory_share: float = MEMORY_SHARE, descriptors: int = DESCRIPTORS
) -> list[str]:
    """Sentences about what grows, of samples in their order. The first third is warming up."""
    found = []
    for what, of, allowed in (
        ("resident memory", lambda one: one.memory, memory_share * _median(samples, 1, lambda one: one.memory)),
        ("open files", lambda one: one.descriptors, descriptors),
        ("threads", lambda one: one.threads, THREADS),
    ):
        before, after = _median(samples, 1, of), _median(samples, 2, of)
        if after > before + allowed:
            found.append(f"{what} grow from {before:.0f} to {after:.0f}, {allowed:.0f} more are allowed")
    return found


def _median(samples: Sequence[Sample], third: int, of: Callable[[Sample], float]) -> float:
    """Of the `third` third, counted from 0."""
    length = len(samples) / 3
    return statistics.median(of(one) for one in samples[int(third * length) : int((third + 1) * length)])


def trend(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """How much it rises in an hour, by least squares, after the first third."""
    part = samples[len(samples) // 3 :]
    return statistics.linear_regression([one.at for one in part], [of(one) for one in part]).slope * 3_600


def sparkline(values: Sequence[float], width: int = 60) -> str:
    """Means of `width` equal parts, from the least to the most of them."""
    parts = [values[len(values) * at // width : len(values) * (at + 1) // width] for at in range(width)]
    means = [statistics.fmean(part) for part in parts if part]
    least, most = min(means), max(means)
    return "".join(_BLOCKS[int((one - least) / ((most - least) or 1) * (len(_BLOCKS) - 1))] for one in means)


def table(samples: Sequence[Sample]) -> str:
    """For people: each measure with its least, its medians of the thirds, its most, its trend and its course."""
    measures: tuple[tuple[str, Callable[[Sample], float], str], ...] = (
        ("resident memory, MB", lambda one: one.memory / _MB, ".1f"),
        ("open files", lambda one: one.descriptors, ".0f"),
        ("threads", lambda one: one.threads, ".0f"),
        ("WAL, MB", lambda one: one.wal / _MB, ".2f"),
        ("jobs in the queue", lambda one: one.queue, ".0f"),
        ("events not published", lambda one: one.waiting, ".0f"),
        ("p50 of answers, ms", lambda one: one.p50 * 1_000, ".0f"),
        ("p99 of answers, ms", lambda one: one.p99 * 1_000, ".0f"),
    )
    lines = [
        "| measure | least | median of each third | most | trend in an hour | course |",
        "|---|---|---|---|---|---|",
    ]
    for name, of, form in measures:
        values = [of(one) for one in samples]
        thirds = " / ".join(format(_median(samples, third, of), form) for third in range(3))
        lines.append(
            f"| {name} | {min(values):{form}} | {thirds} | {max(values):{form}} | {trend(samples, of):+{form}}"
            f" | `{sparkline(values)}` |"
        )
    return "\n".join(lines)
