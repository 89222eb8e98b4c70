"""The questions about one document."""

from __future__ import annotations

from enum import StrEnum


class NamedQuestion(StrEnum):
    """The questions by their names in addresses and commands."""

    WHERE_STUCK = "where-stuck"
    WHY_FAILED = "why-failed"
    EVENTS_TOLD = "events-told"
    WAITING_DOCUMENTS = "waiting-documents"
