"""What a log sends to a witness and what it gets back (C2SP tlog-witness, `add-checkpoint`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.ledger.errors import Malformed
from gateway.ledger.lines import MAX_PROOF_LINES, base64_text, parse_decimal, parse_proof
from gateway.ledger.notes import MAX_NOTE_BYTES

MAX_REQUEST_BYTES: Final = MAX_NOTE_BYTES + 45 * MAX_PROOF_LINES + 32
"""A note, 63 lines of a hash each, and the line of the old size."""
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A checkpoint for a witness, with the proof that it grew from the one that the witness has."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        """The body of the request."""
        head = f"old {self.old_size}\n" + "".join(f"{base64_text(one)}\n" for one in self.proof) + "\n"
        return head.encode("ascii") + self.checkpoint


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """The answer to `add-checkpoint`: an HTTP status, a media type, a body."""

    status: int
    content_type: str
    body: str


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read the body of a request. The checkpoint is not looked at yet. Raises `Malformed`."""
    if len(body) > MAX_REQUEST_BYTES:
        raise Malformed(f"add-checkpoint: {len(body)} bytes, at most {MAX_REQUEST_BYTES}")
    head, blank, checkpoint = body.partition(b"\n\n")
    try:
        old, *proof = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("add-checkpoint: the lines before the blank one are not ASCII") from error
    if not blank or not old.startswith("old "):
        raise Malformed("add-checkpoint: no line 'old <size>', proof lines and a blank line before the checkpoint")
    return AddCheckpoint(
        parse_decimal(old.removeprefix("old "), "add-checkpoint, old size"),
        parse_proof(proof, "add-checkpoint"),
        checkpoint,
    )


def cosigned(lines: Sequence[str]) -> WitnessAnswer:
    """200 with signature lines."""
    return WitnessAnswer(200, TEXT_TYPE, "".join(lines))


def conflict(size: int) -> WitnessAnswer:
    """409 with the size that the witness has: the log proves from there on."""
    return WitnessAnswer(409, SIZE_TYPE, f"{size}\n")


def refused(status: int, reason: str) -> WitnessAnswer:
    """400, 403, 404 or 422 with a line that says why."""
    return WitnessAnswer(status, TEXT_TYPE, f"{reason}\n")
