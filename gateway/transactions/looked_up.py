"""What a commit of many documents asks for at once, instead of for each of them; and what it found out on the way.

Over a network every question costs more than its answer. What is kept here stays true until the unit ends: it is
locked, or an end, or a name that the documents of a run share; whatever the unit itself alters is forgotten.

Locks are taken in the order in which an acceptance and a worker take them, each kind sorted: keys, transactions that
are repeated or replaced, documents that are followed, what made these, lineages. Whoever settles has the transaction
before its lineage; a unit that had the lineage first would wait for him while he waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from adapters.canonical import MASTER_DOMAINS, ErpNumber
from gateway.domain.records import (
    DocumentRecord,
    IdempotencyKeyRecord,
    LineageRecord,
    NaturalKeyRecord,
    PinRecord,
    TransactionRecord,
)
from gateway.domain.transaction import Status
from gateway.transactions.ports import DocumentName, WriteUnit

NaturalName = tuple[str, str, str]
"""Source, domain, external id."""
RequestName = tuple[str, str, str, str]
"""Client, operation, resource, idempotency key."""


class LookedUp:
    """Answers of a unit. `natural_keys`, `idempotency_keys`: None for what is not there. `documents`: masters, and
    those of `held`, by the names that were asked for. `posted`: what made them, if they stay. `lineages`: locked, with
    their events counted on."""

    def __init__(self, unit: WriteUnit) -> None:
        self._unit = unit
        self.natural_keys: dict[NaturalName, NaturalKeyRecord | None] = {}
        self.idempotency_keys: dict[RequestName, IdempotencyKeyRecord | None] = {}
        self.documents: dict[DocumentName, DocumentRecord] = {}
        self.held: dict[str, DocumentRecord] = {}
        self.posted: dict[str, TransactionRecord] = {}
        self.pins: dict[str, PinRecord] = {}
        self.lineages: dict[str, LineageRecord] = {}
        self._staying: Collection[str] = ()
        self._numbers: dict[tuple[str, str], ErpNumber] = {}

    async def look_up_keys(self, names: Iterable[NaturalName], requests: Iterable[RequestName]) -> None:
        """What is there is locked, in one order whoever looks. What is not there may appear before it is inserted here:
        then the insert meets it, and the unit runs again and sees it."""
        asked_names, asked_requests = sorted(set(names)), sorted(set(requests))
        self.natural_keys = dict.fromkeys(asked_names)
        self.idempotency_keys = dict.fromkeys(asked_requests)
        if asked_names:
            for key in await self._unit.natural_keys(asked_names):
                self.natural_keys[natural_name(key)] = key
        if asked_requests:
            for request in await self._unit.idempotency_keys(asked_requests):
                self.idempotency_keys[request_name(request)] = request

    async def look_up_documents(
        self,
        names: Iterable[DocumentName],
        alone: Collection[DocumentName],
        replaced: Iterable[str],
        systems: Iterable[str],
    ) -> None:
        """What documents refer to, and what goes with that; after `look_up_keys`.

        What is no master is kept from changing. Only then its transaction is read, and locked unless it is posted; and
        only of what is posted the pin: until then it may get one, and whoever needs it asks then. `alone`: names of
        what is held alone. `replaced`: transactions that are corrected. `systems`: where masters may be needed.
        """
        repeated = await self._repeated(replaced)
        asked = list(dict.fromkeys(names))
        found = await self._unit.documents_named(asked) if asked else {}
        masters = {name: one for name, one in found.items() if name.domain in MASTER_DOMAINS}
        followed = {name: one.document_id for name, one in found.items() if name not in masters}
        await self._hold(followed.values(), {followed[name] for name in alone if name in followed})
        self.documents = masters | {name: self.held[one] for name, one in followed.items() if one in self.held}
        self._staying = _made_by(one for one in self.documents.values() if one.made_for is None)
        self._keep_posted(repeated)
        made_by = _made_by(self.documents.values())
        if made_by:
            await self.transactions(sorted(made_by))
        going_on = _made_by(self.held.values()).difference(self.posted, (one.transaction_id for one in repeated))
        if going_on:  # or posted by now
            self._keep_posted(await self._unit.transactions_held(sorted(going_on)))
        staying = [one.document_id for one in masters.values() if one.made_for is None]
        at = {system_id: list(staying) for system_id in systems}
        for document in await self._pinned():
            at.setdefault(self.pins[document.lineage_id].system_id, []).append(document.document_id)
        for system_id, documents in at.items():
            await self.numbers_in(list(dict.fromkeys(documents)), system_id)

    async def _hold(self, document_ids: Iterable[str], alone: Collection[str]) -> None:
        """Keep documents from changing: some for this unit alone, the others for all that follow them."""
        for is_alone, some in groupby(sorted(set(document_ids)), key=alone.__contains__):
            if is_alone:
                found = [await self._unit.document(one, alone=True) for one in some]
                self.held.update((one.document_id, one) for one in found if one is not None)
            else:
                together = await self._unit.documents_together(list(some))
                self.held.update((one.document_id, one) for one in together)

    async def _repeated(self, replaced: Iterable[str]) -> Sequence[TransactionRecord]:
        """What the keys were used for, and what is corrected; locked, the younger first: a worker has the transaction
        that it carries before those of what that follows."""
        known = [*self.natural_keys.values(), *self.idempotency_keys.values()]
        used = {one.transaction_id for one in known if one is not None and one.transaction_id is not None}
        wanted = sorted(used.union(replaced), reverse=True)
        return await self._unit.transactions_held(wanted) if wanted else ()

    def _keep_posted(self, records: Iterable[TransactionRecord]) -> None:
        """To be posted is an end, but not for a new customer, who may be taken back with the order that brought it."""
        ended = (one for one in records if one.status is Status.POSTED and one.transaction_id in self._staying)
        self.posted.update((one.transaction_id, one) for one in ended)

    async def _pinned(self) -> list[DocumentRecord]:
        """What is held, is posted or was there before the gateway was, and has a pin."""
        there = [one for one in self.held.values() if one.transaction_id is None or one.transaction_id in self.posted]
        lineages = sorted({one.lineage_id for one in there})
        if lineages:
            self.pins = {one.lineage_id: one for one in await self._unit.pins(lineages)}
            self.lineages = {one.lineage_id: one for one in await self._unit.lineages_held(lineages)}
        return [one for one in there if one.lineage_id in self.pins]

    async def transactions(self, transaction_ids: Sequence[str]) -> Mapping[str, TransactionRecord]:
        """As the unit answers; what is posted is not asked for again, unless it made what may be taken back."""
        found = {one: self.posted[one] for one in transaction_ids if one in self.posted}
        missing = [one for one in transaction_ids if one not in found]
        if missing:
            read = await self._unit.transactions(missing)
            self._keep_posted(read.values())
            found |= read
        return found

    async def numbers_in(self, document_ids: Sequence[str], system_id: str) -> Mapping[str, ErpNumber]:
        """As the unit answers; one that is missing is asked for again."""
        found = {one: self._numbers[one, system_id] for one in document_ids if (one, system_id) in self._numbers}
        missing = [one for one in document_ids if one not in found]
        if missing:
            read = await self._unit.numbers_in(missing, system_id)
            self._numbers.update(((one, system_id), number) for one, number in read.items())
            found |= read
        return found

    def forget(self, document_id: str) -> None:
        """The unit alters this document: what was found under its names is not what it says now."""
        self.held.pop(document_id, None)
        self.documents = {name: one for name, one in self.documents.items() if one.document_id != document_id}


def _made_by(documents: Iterable[DocumentRecord]) -> set[str]:
    return {one.transaction_id for one in documents if one.transaction_id is not None}


def natural_name(record: NaturalKeyRecord) -> NaturalName:
    """What the key is found by."""
    return record.source, record.domain, record.external_id


def request_name(record: IdempotencyKeyRecord) -> RequestName:
    """What the key is found by."""
    return record.client, record.operation, record.resource, record.idempotency_key
