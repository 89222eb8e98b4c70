"""The entries of months that were taken out, read out of their archives, by transaction."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.domain.months import Month
from gateway.domain.records import EntryRecord
from gateway.ledger.evidence.manifest import MANIFEST, opened_manifest
from gateway.ledger.months.lines import MOST_PART_BYTES, ArchivedEntry, part_path
from gateway.ledger.months.verify import ArchiveFound, MonthArchive, verify_archive
from gateway.ledger.months.wrong import ArchiveWrong, MonthRefused
from gateway.ledger.note_keys import VerifierKey
from gateway.store.month_reads import ArchivedMonth

PARTS_KEPT: Final = 4
"""Files of one archive that are held in memory: lineages are asked for in the order of time, as the files are."""

Traces = Mapping[str, Sequence[EntryRecord]]


class MonthEntries:
    """The entries of one archive that was verified. A file that was changed since is refused when it is read."""

    def __init__(self, directory: Path, found: ArchiveFound) -> None:
        """Raises ArchiveWrong: a file is gone."""
        self._archive = MonthArchive(directory)
        self._hashes, _ = opened_manifest({MANIFEST: found.manifest}, None)
        self._kept: OrderedDict[int, Traces] = OrderedDict()
        self._firsts = [_first_trace(directory, number) for number in range(int(found.told["parts"]))]

    def of(self, trace: str) -> list[EntryRecord]:
        """The entries of a transaction, in order; none: it is not of the month. Raises ArchiveWrong."""
        first, last = bisect_left(self._firsts, trace) - 1, bisect_right(self._firsts, trace) - 1
        return [
            entry for number in range(max(first, 0), last + 1) for entry in self._part(number).get(trace, ())
        ]  # a transaction may begin in one file and go on in the next

    def traces(self) -> Iterator[Sequence[str]]:
        """All transactions, file by file; one that stands in two files comes twice. Raises ArchiveWrong."""
        for number in range(len(self._firsts)):
            yield list(self._part(number))

    def _part(self, number: int) -> Traces:
        if number not in self._kept:
            found: dict[str, list[EntryRecord]] = defaultdict(list)
            for _path, _line, entry in self._archive.part(number, self._hashes):
                found[entry.trace].append(entry.record())
            self._kept[number] = dict(found)
            if len(self._kept) > PARTS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]


class ArchivedEntries:
    """The entries of several months; `months`: by which they are known."""

    def __init__(self, months: Mapping[Month, MonthEntries]) -> None:
        self.months = months

    def of(self, traces: Sequence[str]) -> list[EntryRecord]:
        """The entries of these transactions, as far as they are of these months. Raises ArchiveWrong."""
        found = []
        for trace in traces:
            month = Month.of_trace(trace)
            if month is not None and month in self.months:
                found += self.months[month].of(trace)
        return found

    def traces(self) -> Iterator[Sequence[str]]:
        """All transactions, in parts. Raises ArchiveWrong."""
        for one in self.months.values():
            yield from one.traces()


def opened_archives(
    directories: Sequence[Path],
    records: Sequence[ArchivedMonth],
    keys: Sequence[VerifierKey],
    evidence_key: VerifierKey,
) -> ArchivedEntries:
    """The archives in these directories, each verified first, as `verify_archive` does.

    Args:
        directories: where their files are.
        records: what is recorded of the months that were taken out.
        keys: the log's.
        evidence_key: of who signs manifests.

    Raises:
        ArchiveWrong: one of them is not sound.
        MonthRefused: its month was not taken out, or with another archive.
    """
    manifests = {one.month: one.manifest for one in records}
    months = {}
    for directory in directories:
        found = verify_archive(directory, keys, evidence_key=evidence_key)
        if str(found.month) not in manifests:
            raise MonthRefused(f"{directory} is the archive of {found.month}, which was not taken out of the database")
        if found.manifest != manifests[str(found.month)]:
            raise MonthRefused(f"{directory} is not the archive with which {found.month} was taken out")
        months[found.month] = MonthEntries(directory, found)
    return ArchivedEntries(months)


def _first_trace(directory: Path, number: int) -> str:
    path = part_path(number)
    try:
        with (directory / path).open("rb") as file:
            line = file.readline(MOST_PART_BYTES)
    except OSError as error:
        raise ArchiveWrong(path, f"it cannot be read: {error.strerror}") from error
    return ArchivedEntry.parse(line.removesuffix(b"\n"), path, 1).trace
