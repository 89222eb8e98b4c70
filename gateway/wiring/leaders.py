"""The tasks that one process does for all, with what each of them is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.cutover.auto_pause import AutoPause
from gateway.cutover.dark import DarkObserver
from gateway.domain.leaders import ACTIVATIONS, AUTO_PAUSE, DARK, RELAY, RETENTION, SEQUENCER, SWEEP, Lead
from gateway.domain.sweeps import SweepLimits
from gateway.domain.transaction import Status
from gateway.leaders import LeaderTask, only_lead
from gateway.ledger.sequencer import Sequencer
from gateway.messaging.relay import Relay
from gateway.privacy.due import Retention
from gateway.settings import SweepSettings
from gateway.store.record_guard import RecordGuard
from gateway.transactions.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Leads:
    """This process's leads, none of which it has when it starts."""

    relay: Lead = field(default_factory=lambda: Lead(RELAY))
    sequencer: Lead = field(default_factory=lambda: Lead(SEQUENCER))
    activations: Lead = field(default_factory=lambda: Lead(ACTIVATIONS))
    auto_pause: Lead = field(default_factory=lambda: Lead(AUTO_PAUSE))
    dark: Lead = field(default_factory=lambda: Lead(DARK))
    sweep: Lead = field(default_factory=lambda: Lead(SWEEP))
    retention: Lead = field(default_factory=lambda: Lead(RETENTION))


def leader_tasks(
    leads: Leads,
    *,
    relay: Relay,
    sequencer: Sequencer,
    auto_pause: AutoPause,
    dark: DarkObserver,
    sweep: Sweep,
    retention: Retention,
    guard: RecordGuard,
) -> Sequence[LeaderTask]:
    """Each of them writes through `Store.led` of its own lead. What leads activations is done by the activator, which
    every process runs for its own part. Where nothing is written any more nothing is led but the log, which may have to
    be kept from others."""

    def able() -> bool:
        return guard.reason is None

    return (
        LeaderTask(leads.relay, relay.run, able=able),
        LeaderTask(
            leads.sequencer,
            partial(sequence_or_hold_back, sequencer),
            sequencer.finish,
            able=lambda: sequencer.halted is None or sequencer.halts_all,
            seizes=lambda: sequencer.halts_all,
        ),
        LeaderTask(leads.activations, only_lead, able=able),
        LeaderTask(leads.auto_pause, auto_pause.run, able=able),
        LeaderTask(leads.dark, dark.run, able=able),
        LeaderTask(leads.sweep, sweep.run, able=able),
        LeaderTask(leads.retention, retention.run, able=able),
    )


async def sequence_or_hold_back(sequencer: Sequencer) -> None:
    """Sequence; once something was found in the log, keep the lead as long as this process lives, so that no other one
    signs what was found to be wrong here. What is its own affair gives the lead up."""
    await sequencer.run()
    if sequencer.halts_all:
        await only_lead()


def sweep_limits(settings: SweepSettings) -> SweepLimits:
    """As the settings say."""
    return SweepLimits(
        every_s=settings.every_s,
        job_missing_s=settings.job_missing_s,
        job_overdue_s=settings.job_overdue_s,
        event_unpublished_s=settings.event_unpublished_s,
        long_s={
            Status.ACCEPTED: settings.accepted_s,
            Status.ROUTED: settings.routed_s,
            Status.DISPATCHED: settings.dispatched_s,
            Status.UNKNOWN: settings.unknown_s,
            Status.WAITING: settings.waiting_s,
            Status.COMPENSATING: settings.compensating_s,
            Status.HELD: settings.held_s,
        },
    )
