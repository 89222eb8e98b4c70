"""Documents from NATS, and events there again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gateway.api.limits import Limits
from gateway.cutover.rules_holder import RulesHolder
from gateway.intake.cloud_event import EventReader, sender_of
from gateway.intake.consumer import IntakeConsumer
from gateway.intake.ports import IntakeCounts
from gateway.intake.putting_off import Patience
from gateway.messaging.intake_stream import IntakeStream
from gateway.messaging.nats import NatsConnection, NatsSettings
from gateway.messaging.replay import Replays
from gateway.settings import IntakeSourceSettings, Settings, SettingsError
from gateway.store.store import Store
from gateway.transactions.line import Line
from gateway.transactions.parts import Tools
from routing_rules import Rulebook


def replays(nats: NatsSettings, store: Store, tools: Tools, ends: list[Callable[[], Awaitable[object]]]) -> Replays:
    """Sends events again; connects when it is first asked to."""
    connection = NatsConnection(nats)
    ends.append(connection.close)
    return Replays(store, store.outbox, connection, tools)


def check_sources(sources: Sequence[IntakeSourceSettings], rulebook: Rulebook) -> None:
    """Raises SettingsError naming every node that the rulebook does not have: all messages would be out of scope."""
    complaints = [
        f"intake.sources[{at}].{name}: {node!r} is not in the rulebook; leave {name} out for all of them"
        for at, source in enumerate(sources)
        for name, nodes, known in (
            ("business_units", source.business_units, rulebook.business_units),
            ("geographies", source.geographies, rulebook.geographies),
        )
        for node in nodes or ()
        if node not in known
    ]
    if complaints:
        raise SettingsError("\n".join(complaints))


def intake_consumer(
    nats: NatsSettings,
    settings: Settings,
    line: Line,
    holder: RulesHolder,
    tools: Tools,
    ends: list[Callable[[], Awaitable[object]]],
    counts: IntakeCounts,
) -> IntakeConsumer | None:
    """This process's part in the shared consumer; None where no sources are set. `ends` gets what closes it.

    Raises SettingsError, as `check_sources`.
    """
    wanted = settings.intake
    if not wanted.sources:
        return None
    check_sources(wanted.sources, holder.current.rulebook)
    connection = NatsConnection(nats)
    ends.append(connection.close)
    senders = [
        sender_of(one.subject, one.client, one.source, one.business_units, one.geographies) for one in wanted.sources
    ]
    reader = EventReader(senders, frozenset(settings.line.bulk_clients), Limits(body_bytes=settings.http.body_bytes))
    return IntakeConsumer(
        IntakeStream(connection),
        line,
        reader,
        lambda: holder.current.rulebook.tables,
        tools,
        Patience(wanted.again_s, wanted.deadline_s),
        counts,
    )
