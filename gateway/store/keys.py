"""What tells a document apart from every earlier one: idempotency keys, natural keys; and its payload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.domain.records import IdempotencyKeyRecord, NaturalKeyRecord, PayloadRecord
from gateway.store import schema
from gateway.store.kept import Kept, replace_one, replacing
from gateway.store.unit import Unit

IDEMPOTENCY_KEYS: Final = Kept(schema.idempotency_keys, IdempotencyKeyRecord)
NATURAL_KEYS: Final = Kept(schema.natural_keys, NaturalKeyRecord)
PAYLOADS: Final = Kept(schema.payloads, PayloadRecord)

_IDEMPOTENCY_KEY: Final = IDEMPOTENCY_KEYS.by("client", "operation", "resource", "idempotency_key")

_NATURAL_NAME: Final = ("source", "domain", "external_id")
_NATURAL_BOUND: Final = ("document_id", "transaction_id", "content_hash")
# Locked: who decides by what the key is bound to may bind it anew.
_NATURAL_KEY: Final = NATURAL_KEYS.by(*_NATURAL_NAME, lock=True)
_REBIND: Final = NATURAL_KEYS.replace(_NATURAL_NAME, _NATURAL_BOUND)

PAYLOAD: Final = PAYLOADS.by("payload_id")


class KeyWrites:
    """Keys and payloads of a unit."""

    __slots__ = ()
    _unit: Unit

    async def idempotency_key(
        self, client: str, operation: str, resource: str, key: str
    ) -> IdempotencyKeyRecord | None:
        return await self._unit.one(
            _IDEMPOTENCY_KEY,
            {"client": client, "operation": operation, "resource": resource, "idempotency_key": key},
        )

    async def idempotency_keys(self, names: Sequence[tuple[str, str, str, str]]) -> Sequence[IdempotencyKeyRecord]:
        return await self._unit.each(_IDEMPOTENCY_KEY, names)

    async def insert_idempotency_key(self, record: IdempotencyKeyRecord) -> None:
        await self._unit.put(IDEMPOTENCY_KEYS.insert, IDEMPOTENCY_KEYS.params(record))

    async def natural_key(self, source: str, domain: str, external_id: str) -> NaturalKeyRecord | None:
        return await self._unit.one(_NATURAL_KEY, {"source": source, "domain": domain, "external_id": external_id})

    async def natural_keys(self, names: Sequence[tuple[str, str, str]]) -> Sequence[NaturalKeyRecord]:
        return await self._unit.each(_NATURAL_KEY, names)

    async def insert_natural_key(self, record: NaturalKeyRecord) -> None:
        await self._unit.put(NATURAL_KEYS.insert, NATURAL_KEYS.params(record))

    async def rebind_natural_key(self, record: NaturalKeyRecord) -> None:
        await replace_one(self._unit, _REBIND, replacing(record, _NATURAL_NAME, _NATURAL_BOUND))

    async def insert_payload(self, record: PayloadRecord) -> None:
        await self._unit.put(PAYLOADS.insert, PAYLOADS.params(record))

    async def payload(self, payload_id: str) -> PayloadRecord | None:
        return await self._unit.one(PAYLOAD, {"payload_id": payload_id})
