"""Saving a draft: only files that are a rulebook, proven at once, with every editor on record."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.cutover.acting import Acting, acting
from gateway.cutover.control_entries import ControlTrace
from gateway.cutover.draft_files import parsed, stored
from gateway.cutover.draft_ports import DraftParts, DraftUnit
from gateway.cutover.gates.registry import GateRegistry
from gateway.domain.caller import Caller
from gateway.domain.drafts import DraftEditRecord, DraftRecord
from gateway.domain.entries import EntryKind
from gateway.domain.identity import content_hash
from gateway.domain.records import IdempotencyKeyRecord
from gateway.errors import FieldError, Problem
from gateway.transactions.parts import RulesInForce
from routing_rules import Capabilities, Rulebook, Severity, prove, run_examples

MOST_EDITS: Final = 1_000
"""Of one draft: all its authors are looked at whenever persons are compared."""
_OPERATION: Final = "save_draft"
_RESOURCE: Final = "drafts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What is to be saved. `files` None: those that the draft has. `base_activation_number`: what the author took for
    the version in force; None: whatever is."""

    title: str
    files: Mapping[str, str] | None
    base_activation_number: int | None = None


@dataclass(frozen=True, slots=True)
class _Checked:
    rulebook: Rulebook
    files: str
    members: dict[str, Any]


async def save_draft(parts: DraftParts, caller: Caller, saving: Saving, key: str | None) -> tuple[DraftRecord, bool]:
    """A new draft on what is in force; and whether the key `key` named it already.

    Raises `invalid-document`, `too-large`, `stale`, `policy-check-failed`, `idempotency-key-reused`.
    """
    who, rules = acting(parts.tools, caller), await parts.rules()
    _check_base(saving, rules)
    checked = await _check(parts, saving.files or {}, rules)
    digest = content_hash(f"{saving.title}\n{checked.files}".encode())
    ids = parts.tools.ids
    draft_id, event_ids = ids.new("drf"), (ids.new("evt"), ids.new("evt"))

    async def unit_of_work(unit: DraftUnit) -> tuple[str, bool]:
        if key is not None:
            known = await unit.idempotency_key(who.client, _OPERATION, _RESOURCE, key)
            if known is not None and known.content_hash != digest:
                raise Problem("idempotency-key-reused", "This key saved another draft.")
            if known is not None:
                return known.transaction_id, True
        await check_in_force(unit, rules)
        now = parts.tools.clock.now()
        draft = DraftRecord(
            draft_id=draft_id,
            title=saving.title,
            state="open",
            version=1,
            base_activation_number=rules.activation_number,
            table_version=checked.rulebook.version,
            governance_version=checked.rulebook.governance_version,
            files=checked.files,
            created_at=now,
            updated_at=now,
        )
        await unit.insert_draft(draft)
        if key is not None:
            await unit.insert_idempotency_key(
                IdempotencyKeyRecord(who.client, _OPERATION, _RESOURCE, key, digest, draft_id, now)
            )
        await _record(parts, unit, draft, who, checked, event_ids)
        return draft_id, False

    saved_id, replayed = await parts.store.write(unit_of_work)
    draft = await parts.reads.draft(saved_id)
    if draft is None:
        raise Problem("not-ready", "The draft was saved and cannot be read yet.", retry_after_s=1)
    return draft, replayed


async def edit_draft(
    parts: DraftParts, caller: Caller, draft_id: str, saving: Saving, demanded: Collection[str] | None
) -> DraftRecord:
    """Save the draft anew, on what is in force now. `demanded`: the etags of which it must have one; None: any.

    Whoever does is an author of it from now on, and every approval of it is void.
    Raises `not-found`, `stale`, `invalid-document`, `too-large`, `policy-check-failed`, `document-closed`.
    """
    who, rules = acting(parts.tools, caller), await parts.rules()
    _check_base(saving, rules)
    files = saving.files
    if files is None:
        raise Problem("invalid-document", "An edit says what the files are.")
    checked = await _check(parts, files, rules)
    event_ids = (parts.tools.ids.new("evt"), parts.tools.ids.new("evt"))

    async def unit_of_work(unit: DraftUnit) -> DraftRecord:
        await check_in_force(unit, rules)
        draft = await open_draft(unit, draft_id, demanded)
        if draft.version >= MOST_EDITS:
            raise Problem(
                "document-closed",
                f"The draft was saved {draft.version} times, and no more are taken.",
                remedy="Save a new draft.",
            )
        changed = replace(
            draft,
            title=saving.title,
            version=draft.version + 1,
            base_activation_number=rules.activation_number,
            table_version=checked.rulebook.version,
            governance_version=checked.rulebook.governance_version,
            files=checked.files,
            updated_at=parts.tools.clock.now(),
            activation_id=None,
            activator=None,
            effective_at=None,
        )
        return await _record(parts, unit, changed, who, checked, event_ids)

    return await parts.store.write(unit_of_work)


async def discard_draft(
    parts: DraftParts, caller: Caller, draft_id: str, demanded: Collection[str] | None
) -> DraftRecord:
    """Close the draft: nothing can be done to it any more. Raises `not-found`, `stale`, `document-closed`."""
    who = acting(parts.tools, caller)
    event_id = parts.tools.ids.new("evt")

    async def unit_of_work(unit: DraftUnit) -> DraftRecord:
        draft = await open_draft(unit, draft_id, demanded)
        trace = ControlTrace(parts.tools, draft_id, entry_count=draft.entry_count)
        members = {"draftId": draft_id, "draftVersion": draft.version, "state": "discarded", "person": who.person}
        await trace.record(unit, EntryKind.DRAFT_SAVED, who.client, members, event_id=event_id)
        closed = replace(draft, state="discarded", updated_at=parts.tools.clock.now(), entry_count=trace.entry_count)
        await unit.update_draft(closed)
        return closed

    return await parts.store.write(unit_of_work)


async def open_draft(unit: DraftUnit, draft_id: str, demanded: Collection[str] | None) -> DraftRecord:
    """The draft, for this unit alone. Raises `not-found`, `document-closed`, `stale`."""
    draft = await unit.draft(draft_id)
    if draft is None:
        raise Problem("not-found", "There is no draft with this id.")
    if draft.state != "open":
        raise Problem(
            "document-closed",
            f"The draft is {draft.state}.",
            remedy="Save a new draft; its files may be those of this one.",
        )
    if demanded is not None and draft.etag not in demanded:
        raise Problem("stale", f"The draft is at {draft.etag} by now.", extra={"etag": draft.etag})
    return draft


async def check_in_force(unit: DraftUnit, rules: RulesInForce) -> None:
    """Raises `not-ready` if something else came into force meanwhile: what was judged was judged by the old.

    Before any row, as everywhere: whoever activates holds the lock that this waits for, and then takes the rows.
    """
    state = await unit.rules_state()
    if state.activation_number != rules.activation_number:
        raise Problem("not-ready", "Other rules came into force just now; nothing was done.", retry_after_s=1)


def _check_base(saving: Saving, rules: RulesInForce) -> None:
    if saving.base_activation_number not in {None, rules.activation_number}:
        raise Problem(
            "stale",
            f"Activation {rules.activation_number} is in force, not {saving.base_activation_number}.",
            remedy="Take the rules in force, make the change on them, and save again.",
            extra={"activationNumber": rules.activation_number},
        )


async def _check(parts: DraftParts, files: Mapping[str, str], rules: RulesInForce) -> _Checked:
    """In a thread: reading and proving a large table takes seconds."""
    return await asyncio.to_thread(_checked, files, rules.rulebook, parts.gates, parts.capabilities())


def _checked(
    files: Mapping[str, str], base: Rulebook, gates: GateRegistry, capabilities: Capabilities | None
) -> _Checked:
    rulebook = parsed(files)
    if unknown := gates.unknown_in(rulebook):
        field = "files.rulebook.yaml"
        raise Problem(
            "invalid-document",
            f"This gateway has no gate called {', '.join(unknown)}; once in force, nothing could be changed any more.",
            errors=tuple(FieldError(field, f"required_checks names '{one}'", "Correct its id.") for one in unknown),
        )
    proof, failures = prove(rulebook, base, capabilities), run_examples(rulebook)
    errors = sum(1 for one in proof.findings if one.severity is Severity.ERROR)
    members = {"clean": proof.clean, "findings": len(proof.findings), "errors": errors, "failedExamples": len(failures)}
    return _Checked(rulebook, stored(files), members)


async def _record(
    parts: DraftParts, unit: DraftUnit, draft: DraftRecord, who: Acting, checked: _Checked, event_ids: tuple[str, str]
) -> DraftRecord:
    """The edit, its two entries, and the draft's row with their count."""
    await who.remember(unit)
    await unit.insert_draft_edit(
        DraftEditRecord(
            draft_id=draft.draft_id,
            version=draft.version,
            person=who.person,
            client=who.client,
            table_version=draft.table_version,
            governance_version=draft.governance_version,
            base_activation_number=draft.base_activation_number,
            edited_at=draft.updated_at,
        )
    )
    trace = ControlTrace(parts.tools, draft.draft_id, entry_count=draft.entry_count)
    named: dict[str, Any] = {
        "draftId": draft.draft_id,
        "draftVersion": draft.version,
        "rule": {"tableVersion": draft.table_version, "governanceVersion": draft.governance_version},
        "baseActivationNumber": draft.base_activation_number,
    }
    saved = named | {"state": draft.state, "person": who.person}
    await trace.record(unit, EntryKind.DRAFT_SAVED, who.client, saved, event_id=event_ids[0])
    await trace.record(unit, EntryKind.CHECKED, who.client, named | checked.members, event_id=event_ids[1])
    counted = replace(draft, entry_count=trace.entry_count)
    await unit.update_draft(counted)
    return counted
