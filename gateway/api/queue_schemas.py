"""The answer about queues."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from gateway.api.answer_model import Answered, AnswerModel


class QueueShown(AnswerModel):
    """The transactions of one lane at one system that have not ended. Each is counted once."""

    lane: str = Field(description="interactive, standard or bulk.")
    system_id: str | None = Field(description="Where they are expected to go; null where that cannot be told yet.")
    due: int = Field(description="To be taken up now.")
    under_way: int = Field(description="In the hands of a process.")
    waiting: int = Field(description="For another transaction, or for the end of an act.")
    put_off: int = Field(description="To be tried again later, after something failed.")
    oldest_s: int = Field(description="Seconds since the acceptance of the oldest that is not under way.")
    oldest_due_s: int = Field(description="Seconds for which the longest due has been due.")


class QueuesAnswer(Answered):
    """All lanes at all systems at which something is. `in_doubt`: transactions in front of a person; `events`: those
    that the stream has not acknowledged, the oldest `oldest_event_s` seconds old."""

    items: list[QueueShown]
    in_doubt: int
    events: int
    oldest_event_s: int


QUEUES: Final[dict[str, Any]] = {
    "items": [
        {
            "lane": "bulk",
            "systemId": "legacy-main",
            "due": 81_204,
            "underWay": 4,
            "waiting": 120,
            "putOff": 0,
            "oldestS": 413,
            "oldestDueS": 412,
        },
        {
            "lane": "interactive",
            "systemId": "cloud-main",
            "due": 0,
            "underWay": 2,
            "waiting": 0,
            "putOff": 1,
            "oldestS": 4,
            "oldestDueS": 0,
        },
    ],
    "inDoubt": 0,
    "events": 12,
    "oldestEventS": 1,
}
