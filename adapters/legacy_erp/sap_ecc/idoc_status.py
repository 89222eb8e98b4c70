"""Answers about IDocs: the receipt of one that was sent, a list of them, one of them. Pure.

Source of the statuses: SAP Help, "IDoc Interface: Status Values" (inbound processing, 50 to 75). An IDoc that was
received is not posted yet: the application posts it (53) or declines (51), at once or after waiting (64).

The answers are JSON as the simulator gives them. Reading trusts nothing: UTF-8 only, no repeated names, bounded size,
and nothing is taken for what it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adapters.legacy_erp.sap_ecc.orders05 import BASIC_TYPE, MESSAGE_TYPE
from adapters.legacy_erp.sap_ecc.wire import MAX_BYTES, Unreadable, clean
from adapters.transport import ErpResponse

_NUMBER: Final = re.compile(r"\A[0-9]{16}\Z")
_STATUS: Final = re.compile(r"\A[0-9]{2}\Z")
_TEXT: Final = 220
_INBOUND: Final = "2"

_POSTED: Final = frozenset({"53"})
_DECLINED: Final = frozenset({"51", "56", "60", "63", "65", "68"})
"""Not posted; IDoc with errors; syntax error; not passed to the application; error in the ALE service; no further
processing. Each of them is definite only as long as nobody processes the IDoc again by hand (BD87)."""
_WAITING: Final = frozenset({"50", "62", "64", "66", "74", "75"})
"""Added; passed to the application; ready; waiting for a predecessor; created by a test tool; in a queue."""


class Outcome(Enum):
    """What a status means for the order in the IDoc."""

    POSTED = "posted"
    DECLINED = "declined"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class IdocStatus:
    """Where an IDoc stands. `number` has sixteen digits; `text` is the ERP's, bounded."""

    number: str
    status: str
    text: str

    @property
    def outcome(self) -> Outcome:
        """What the status means; one that is not listed here means nothing."""
        for outcome, statuses in (
            (Outcome.POSTED, _POSTED),
            (Outcome.DECLINED, _DECLINED),
            (Outcome.WAITING, _WAITING),
        ):
            if self.status in statuses:
                return outcome
        return Outcome.UNKNOWN

    def __str__(self) -> str:
        return f"IDoc {self.number} has status {self.status} ({self.text})"


def read_receipt(response: ErpResponse) -> IdocStatus:
    """The receipt of an ORDERS that was sent. Raises `Unreadable` for anything else."""
    if response.status not in {200, 201}:
        raise Unreadable(f"a receipt with HTTP {response.status}")
    return _status(_object(response), "DOCNUM", "STATUS", "STATUS_TEXT", "MESTYP", "IDOCTYP", "DIRECT")


def read_record(response: ErpResponse, number: str) -> tuple[IdocStatus, bytes]:
    """Status and payload of the IDoc of that number. Raises `Unreadable` for anything else."""
    if response.status != 200:
        raise Unreadable(f"an IDoc with HTTP {response.status}")
    record = _object(response)
    found = _status(record, *_ROW)
    if found.number != number:
        raise Unreadable("the answer is another IDoc")
    return found, _characters(record, "payload").encode("utf-8", "surrogatepass")


def read_list(response: ErpResponse) -> list[IdocStatus]:
    """The ORDERS that came in, in the order of the answer; those that went out are left out."""
    if response.status != 200:
        raise Unreadable(f"a list of IDocs with HTTP {response.status}")
    rows = _object(response).get("results")
    if not isinstance(rows, list):
        raise Unreadable("the answer is no list of IDocs")
    structures = [row for row in rows if isinstance(row, Mapping)]
    if len(structures) != len(rows):
        raise Unreadable("the list holds rows that are no structures")
    # Which of them are inbound ORDERS05 is for this reader to say: others of the message type are none of its business.
    ours = [row for row in structures if row.get("direction") == _INBOUND and row.get("idoctyp") == BASIC_TYPE]
    return [_status(row, *_ROW) for row in ours]


_ROW: Final = ("docnum", "status", "status_text", "mestyp", "idoctyp", "direction")


def _status(
    row: Mapping[str, object], number: str, status: str, text: str, message_type: str, basic_type: str, direction: str
) -> IdocStatus:
    kind = (_characters(row, message_type), _characters(row, basic_type), _characters(row, direction))
    if kind != (MESSAGE_TYPE, BASIC_TYPE, _INBOUND):
        raise Unreadable("the answer is about another kind of IDoc")
    found = IdocStatus(_characters(row, number), _characters(row, status), clean(_characters(row, text), _TEXT))
    if _NUMBER.match(found.number) is None or _STATUS.match(found.status) is None:
        raise Unreadable("the answer holds no IDoc number or no status")
    return found


def _characters(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name} is not there, or is no text")
    return value


def _object(response: ErpResponse) -> Mapping[str, object]:
    media_type, _, parameters = response.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != "application/json" or ("charset" in parameters and "utf-8" not in parameters):
        raise Unreadable("the answer is not JSON in UTF-8")
    if len(response.body) > MAX_BYTES:
        raise Unreadable(f"the answer is longer than {MAX_BYTES} bytes")
    try:
        answer = json.loads(response.body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the answer is not well-formed JSON in UTF-8") from error
    if not isinstance(answer, dict):
        raise Unreadable("the answer is no structure")
    return answer


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise Unreadable("the answer holds a name twice")
    return names
