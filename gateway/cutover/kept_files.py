"""The files of what came into force with a number, and where each of its rows stands in them.

Kept are the files of a draft, and those that were read where no draft was. A version that the gateway derived to go
back has the files of the version that it goes back to, if it is that very version, and otherwise those of the version
that was in force with what came back written into them; they are derived whenever they are asked for.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from gateway.cutover.draft_files import read
from gateway.domain.drafts import DraftRecord, FilesRecord, RollbackRecord
from gateway.domain.records import ActivationRecord
from routing_rules import RulebookInvalid, canonical_files, rulebook_from_canonical
from routing_rules.kept_files import derived_files, row_places

DEEPEST: Final = 20
"""Rollbacks of rollbacks that are followed; each is derived from the one before."""
KEPT: Final = 4
"""Activations whose places are held."""

Places = Mapping[str, Mapping[str, tuple[str, int]]]
"""By domain and row: file and line."""


class FilesReads(Protocol):
    """What is asked of the record."""

    async def activation(self, activation_number: int) -> ActivationRecord | None: ...
    async def draft_of_activation(self, activation_number: int) -> DraftRecord | None: ...
    async def rulebook_files(self, activation_number: int) -> FilesRecord | None: ...
    async def rollbacks(self) -> Sequence[RollbackRecord]: ...


async def files_of(reads: FilesReads, record: ActivationRecord) -> dict[str, str]:
    """Text by file name. Where no files are known, such as give the same versions: without comments and examples."""
    backs = {one.activation_number: one for one in await reads.rollbacks()}
    return await _files(reads, record, backs, DEEPEST)


async def _files(
    reads: FilesReads, record: ActivationRecord, backs: Mapping[int | None, RollbackRecord], deepest: int
) -> dict[str, str]:
    number = record.activation_number
    draft = await reads.draft_of_activation(number)
    if draft is not None:
        return read(draft.files)
    kept = await reads.rulebook_files(number)
    if kept is not None:
        return read(kept.files)
    back = backs.get(number)
    if back is not None and deepest > 0:
        base = await reads.activation(back.base_activation_number)
        restored = await reads.activation(back.restored_activation_number)
        if base is not None and restored is not None:
            earlier = await _files(reads, restored, backs, deepest - 1)
            if _version(restored) == _version(record):
                return earlier
            before = await _files(reads, base, backs, deepest - 1)
            derived = await asyncio.to_thread(_derived, before, earlier, record)
            if derived is not None:
                return derived
    files = await asyncio.to_thread(canonical_files, record.rules, record.governance, readable=True)
    return {name: (text or b"").decode() for name, text in files.items()}


def _version(record: ActivationRecord) -> tuple[str, str]:
    return record.table_version, record.governance_version


def _derived(base: Mapping[str, str], restored: Mapping[str, str], record: ActivationRecord) -> dict[str, str] | None:
    try:
        made = rulebook_from_canonical(record.rules, record.governance)
    except RulebookInvalid:
        return None
    return derived_files(base, restored, made)


class RowPlaces:
    """Where the rows of what came into force stand, for explanations that name them; the latest ones are kept."""

    def __init__(self, reads: FilesReads) -> None:
        self._reads = reads
        self._kept: OrderedDict[int, Places] = OrderedDict()

    async def told(self, explanation: Mapping[str, Any]) -> dict[str, Any]:
        """The explanation, in wire words and with its `activationNumber`, with the lines of the files that are kept."""
        number, domain = explanation.get("activationNumber"), str(explanation.get("domain"))
        places = {} if number is None else (await self._of(number)).get(domain, {})
        told = dict(explanation)
        told["matched"] = [_placed(one, places) for one in explanation.get("matched", ())]
        if explanation.get("whyNot") is not None:
            told["whyNot"] = _placed(explanation["whyNot"], places)
        return told

    async def _of(self, number: int) -> Places:
        known = self._kept.get(number)
        if known is None:
            record = await self._reads.activation(number)
            known = {} if record is None else await asyncio.to_thread(row_places, await files_of(self._reads, record))
            self._kept[number] = known
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return known


def _placed(row: Mapping[str, Any], places: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    file, line = places.get(str(row["row"]), (row["file"], row["line"]))
    return {**row, "file": file, "line": line}
