"""What decides in a process that starts: what is in force, files where nothing ever was, or the last good version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.cutover.activation import put_in_force
from gateway.cutover.activator import Activator, Evaluate, Settled
from gateway.cutover.draft_files import stored
from gateway.cutover.last_good import keep_last_good, read_last_good
from gateway.cutover.rules_holder import RulesHolder, compiled
from gateway.domain.leaders import Lead
from gateway.domain.records import ActivationRecord
from gateway.ledger.errors import Malformed
from gateway.settings import SystemSettings
from gateway.store.store import Store
from gateway.transactions.parts import ErpSystem, RulesInForce, Tools
from gateway.transactions.rules import RulesNotLoaded
from gateway.wiring.refusals import RulebookRefused
from gateway.wiring.systems import check_targets, follow
from routing_rules import Rulebook, RulebookInvalid, Severity, parse_rulebook, prove
from routing_rules.complaints import ComplaintBook
from routing_rules.kept_files import texts_of
from routing_rules.rulebook_files import read_files

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RulesFiles:
    """The rulebook in the directory that the settings name, or why there is none."""

    directory: Path
    rulebook: Rulebook | None
    refused: RulebookInvalid | None = None
    texts: str | None = None

    @classmethod
    def read(cls, directory: Path) -> RulesFiles:
        """Whatever is wrong with them: the database may have what decides."""
        try:
            files = read_files(directory, ComplaintBook())
            rulebook = parse_rulebook(files)
            return cls(directory, rulebook, texts=stored(texts_of(files)))
        except RulebookInvalid as refused:
            return cls(directory, None, refused)

    def needed(self) -> Rulebook:
        """The rulebook. Raises RulebookInvalid."""
        if self.rulebook is None:
            raise self.refused or RulebookInvalid(())
        return self.rulebook


@dataclass(frozen=True, slots=True)
class RulesAtStart:
    """What the process holds. `number`: None for files that are to come into force now, as nothing ever did; `texts`:
    those files, as a draft's row holds them."""

    rulebook: Rulebook
    number: int | None
    texts: str | None = None


async def rules_at_start(data: Path, store: Store, files: RulesFiles) -> RulesAtStart:
    """The version in force. Where this program cannot read it: the last good one, by which nothing is accepted.

    Raises RulebookInvalid, RulebookRefused: nothing was ever in force, and the files cannot be; or nothing can be
    read of what is.
    """
    state = await store.reads.rules_state()
    if state.activation_number == 0:
        rulebook = files.needed()
        await asyncio.to_thread(_refuse_unproven, rulebook)
        return RulesAtStart(rulebook, None, files.texts)
    record = await store.reads.activation(state.activation_number)
    if record is None:
        raise RulebookRefused([f"the text of activation {state.activation_number} is not in the database"])
    _tell_if_other(files, record)
    try:
        rulebook = await asyncio.to_thread(compiled, record.rules, record.governance)
    except RulebookInvalid as invalid:
        _log.error("rules_in_force_unreadable", activation=state.activation_number, why=str(invalid)[:500])
        return await asyncio.to_thread(_last_good, data, record, invalid)
    return RulesAtStart(rulebook, state.activation_number)


async def enter_or_hold(store: Store, tools: Tools, start: RulesAtStart) -> RulesInForce:
    """The rules as the process begins with them; files come into force now if nothing ever did."""
    if start.number is None:
        return await put_in_force(store, tools, start.rulebook, "gateway", start.texts)
    state, acts = await store.reads.rules_in_force()
    return RulesInForce(start.rulebook, start.number, acts, state.acts_number)


async def hold_rules(
    store: Store,
    held: RulesInForce,
    systems: MutableMapping[str, ErpSystem],
    settings: list[SystemSettings],
    shown: Callable[[str, int], None],
) -> RulesHolder:
    """The holder, after a first look whether it holds what is in force; if it cannot, the process is not ready.

    It loads only what `systems` can serve, and they follow it (`follow`).
    """
    holder = RulesHolder(
        store.reads,
        held,
        fits=lambda rulebook: check_targets(rulebook, systems),
        followed=lambda rulebook: follow(systems, settings, rulebook, shown),
    )
    try:
        await holder.refresh()
    except RulesNotLoaded as failure:
        _log.error("rules_not_loaded_at_start", why=failure.why, held=held.activation_number)
    return holder


async def start_activator(
    data: Path,
    store: Store,
    tools: Tools,
    holder: RulesHolder,
    evaluate: Evaluate,
    settled: Settled,
    changed: Callable[[], None],
    lead: Lead,
) -> Activator:
    """The process's part in activations, once it has said what it has loaded. `lead`: of what one process does for
    all."""
    activator = Activator(
        store,
        store.reads,
        tools,
        holder,
        evaluate,
        settled=settled,
        keep=lambda number, version: keep_last_good(data, number, version),
        changed=changed,
        lead=lead,
        led=store.led(lead),
    )
    await activator.say(store.patient("to say which rules this process has loaded"))
    return activator


def _refuse_unproven(rulebook: Rulebook) -> None:
    proof = prove(rulebook)
    if not proof.clean:
        found = [one for one in proof.findings if one.severity is Severity.ERROR]
        raise RulebookRefused([str(one) for one in found])


def _tell_if_other(files: RulesFiles, record: ActivationRecord) -> None:
    """Files do not change what is in force; who edited them should know, once."""
    found = files.rulebook
    if found is not None and (found.version, found.governance_version) == (
        record.table_version,
        record.governance_version,
    ):
        return
    _log.warning(
        "rulebook_files_not_in_force",
        directory=str(files.directory),
        in_force=record.activation_number,
        why="the files differ from the version in force, which stays" if found else str(files.refused),
        remedy="save the files as a draft, have it approved and activate it (docs/rules.md, 'Activation')",
    )


def _last_good(data: Path, record: ActivationRecord, invalid: RulebookInvalid) -> RulesAtStart:
    """Held under number 0, which is never in force, unless it is the very version of the record: its own number may
    be of another database, from before a back-up was restored."""
    try:
        kept = read_last_good(data)
        if kept is None:
            raise invalid
        _, version = kept
        rulebook = compiled(version.rules, version.governance)
    except (Malformed, RulebookInvalid) as error:
        _log.error("last_good_unusable", why=str(error))
        raise invalid from error
    same = (version.table_version, version.governance_version) == (record.table_version, record.governance_version)
    return RulesAtStart(rulebook, record.activation_number if same else 0)
