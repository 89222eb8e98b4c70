"""The stream's configuration: what we want, what we may change, and what we must not overrule.

Plain mappings in the words of JetStream's own API (durations in nanoseconds), so that members which a client library
does not know survive an update. Source: https://docs.nats.io/nats-concepts/jetstream/streams,
https://github.com/nats-io/nats-architecture-and-design (ADR-8, ADR-50).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.domain.events import CONTROL_PREFIX, STATUS_PREFIX

STREAM: Final = "ERP_STATUS"
SUBJECTS: Final = (f"{STATUS_PREFIX}.>", f"{CONTROL_PREFIX}.>")

_NS: Final = 1_000_000_000

_MUST_BE: Final[Mapping[str, Any]] = {
    "storage": "file",
    "retention": "limits",
    "discard": "old",
    "max_msgs_per_subject": -1,
    "no_ack": False,
    "sealed": False,
    "mirror": None,
    "sources": None,
    "subject_transform": None,
}
"""Members that cannot be changed, or whose other values drop, hide or redirect events."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Limits of the stream. The outbox is the record, so the stream may forget.

    Attributes:
        max_age_s: seconds that messages stay; 7 days, as long as the outbox can publish them again.
        max_bytes: bytes of all messages; the oldest go first.
        duplicate_window_s: seconds in which the server itself refuses a known message id.
        replicas: servers of a cluster that hold a copy.
    """

    name: str = STREAM
    max_age_s: int = 7 * 24 * 3600
    max_bytes: int = 4 * 1024**3
    duplicate_window_s: int = 120
    replicas: int = 1


def wanted(settings: StreamSettings, *, batches: bool) -> dict[str, Any]:
    """The configuration to create the stream with. `batches`: the server knows atomic batches (2.12 and later)."""
    config: dict[str, Any] = {
        "name": settings.name,
        "description": "ERP coexistence gateway: status and control events",
        "subjects": list(SUBJECTS),
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_age": settings.max_age_s * _NS,
        "max_bytes": settings.max_bytes,
        "duplicate_window": settings.duplicate_window_s * _NS,
        "num_replicas": settings.replicas,
    }
    if batches:
        config["allow_atomic"] = True
    return config


def contradictions(existing: Mapping[str, Any]) -> list[str]:
    """What in an existing stream we must not overrule, one sentence each; empty if it may be ours."""
    found = [
        f"{member} is {existing.get(member)!r}, not {value!r}"
        for member, value in _MUST_BE.items()
        if (existing.get(member) or None) != (value or None)
    ]
    foreign = sorted(set(existing.get("subjects") or ()) - set(SUBJECTS))
    if foreign:
        found.append(f"it also takes {', '.join(foreign)}")
    return found


def updated(existing: Mapping[str, Any], want: Mapping[str, Any]) -> dict[str, Any] | None:
    """The existing configuration with our members in it; None if it has them already."""
    if all(existing.get(member) == value for member, value in want.items()):
        return None
    return {**existing, **want}
