"""Asking witnesses to cosign (C2SP tlog-witness, the log's side).

That a witness has seen another log it says without a signature, so whoever answers in its place can say it: it is told,
and the checkpoint stands without that cosignature. It ends the signing only where the settings say how many of the
witnesses must say so together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.cosignature import with_cosignatures
from gateway.ledger.errors import Contradicted, LedgerError
from gateway.ledger.lines import parse_decimal
from gateway.ledger.note_keys import VerifierKey, signed_at
from gateway.ledger.notes import Note, NoteSignature, parse_signature_lines
from gateway.ledger.ports import Witnesses
from gateway.ledger.proofs import NodeSource, consistency_proof
from gateway.ledger.witness_request import AddCheckpoint

PAUSE_S: Final = 30.0
"""How long a witness that did not answer is left alone, so that checkpoints do not wait for it each time."""
_ATTEMPTS: Final = 3
"""Its size may be told twice: once because we did not know it, once because another process was faster."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The note with the cosignatures of the witnesses that answered. `contradictions`: by name, what witnesses say that
    have seen another log."""

    note: Note
    contradictions: Mapping[str, str]


@dataclass
class _Known:
    """What is known of a witness: the size that it has, until when (loop time) it is left alone, and what it said last
    against this log."""

    key: VerifierKey
    size: int = 0
    until: float = field(default=float("-inf"))
    against: str | None = None


class Cosigners:
    """The witnesses of a log.

    Args:
        nodes: gives the hashes of the tree of a size, for a thread.
        cosigned_at: is told the name of who cosigned and when, by that one's clock (s since 1970).
        contradicted: is told the name of who says that it has seen another log, each time.
        halt_from: so many witnesses that say so together end the signing; 0: none do.
    """

    def __init__(
        self,
        keys: Sequence[VerifierKey],
        witnesses: Witnesses,
        nodes: Callable[[Checkpoint, Note], NodeSource],
        cosigned_at: Callable[[str, int], None] = lambda _witness, _at_s: None,
        contradicted: Callable[[str], None] = lambda _witness: None,
        halt_from: int = 0,
    ) -> None:
        self._known = [_Known(key) for key in keys]
        self._witnesses = witnesses
        self._nodes = nodes
        self._cosigned_at = cosigned_at
        self._contradicted = contradicted
        self._halt_from = halt_from

    async def cosigned(self, checkpoint: Checkpoint, note: Note) -> Cosigned:
        """The note as the witnesses leave it that are asked now, and what they say against it."""
        now = asyncio.get_running_loop().time()
        asked = [one for one in self._known if one.until <= now]
        answers = await asyncio.gather(*(self._ask(one, checkpoint, note) for one in asked))
        lines = [line for lines in answers for line in lines]
        against = {one.key.name: one.against for one in asked if one.against is not None}
        return Cosigned(with_cosignatures(note, lines, [one.key for one in asked]), against)

    def tell(self, contradictions: Mapping[str, str]) -> None:
        """Tell of contradictions to a log that this process leads.

        Raises:
            Contradicted: as many witnesses as the settings ask for contradict now.
        """
        for witness, says in contradictions.items():
            self._contradicted(witness)
            _log.error("witness_contradicts", witness=witness, says=says)
        against = [one.against for one in self._known if one.against is not None]
        if 0 < self._halt_from <= len(against):
            raise Contradicted("; ".join(against))

    async def _ask(self, one: _Known, checkpoint: Checkpoint, note: Note) -> Sequence[NoteSignature]:
        try:
            lines = await self._add(one, checkpoint, note)
        except Contradicted as error:
            # its size is not believed either: it is asked from the beginning again
            one.against, one.size = str(error), 0
            one.until = asyncio.get_running_loop().time() + PAUSE_S
            return ()
        except (LedgerError, OSError, TimeoutError) as error:
            one.against = None
            one.until = asyncio.get_running_loop().time() + PAUSE_S
            _log.warning("witness_failed", witness=one.key.name, error=str(error) or type(error).__name__)
            return ()
        one.against = None
        return lines

    async def _add(self, one: _Known, checkpoint: Checkpoint, note: Note) -> Sequence[NoteSignature]:
        for _ in range(_ATTEMPTS):
            if one.size > checkpoint.size:
                raise Contradicted(f"{one.key.name} cosigned {one.size} entries, this log has {checkpoint.size}")
            proof = await asyncio.to_thread(self._proof, one.size, checkpoint, note)
            status, _, body = await self._witnesses.add_checkpoint(
                one.key.name, bytes(AddCheckpoint(one.size, proof, bytes(note)))
            )
            if status == 409:
                size = parse_decimal(body.decode("ascii", "replace").removesuffix("\n"), "witness, its size")
                if size == one.size:
                    raise Contradicted(f"{one.key.name} cosigned another tree of {size} entries")
                one.size = size
                continue
            if status == 422:
                raise Contradicted(f"{one.key.name} cosigned {one.size} entries that this log does not continue")
            if status != 200:
                raise LedgerError(f"answered {status}: {body[:200].decode('utf-8', 'replace').strip()}")
            one.size = checkpoint.size
            lines = [
                line
                for line in parse_signature_lines(body.decode("utf-8", "replace"))
                if self._verifies(one, note, line)
            ]
            for line in lines:
                self._cosigned_at(one.key.name, signed_at(line.payload))
            return lines
        raise LedgerError("tells another size each time")

    def _proof(self, old: int, checkpoint: Checkpoint, note: Note) -> tuple[bytes, ...]:
        if old in (0, checkpoint.size):
            return ()
        return consistency_proof(self._nodes(checkpoint, note), old, checkpoint.size)

    @staticmethod
    def _verifies(one: _Known, note: Note, line: NoteSignature) -> bool:
        """Lines of other keys are not for us; one of the witness's own that does not verify is its failure."""
        if not line.is_by(one.key):
            return False
        if not one.key.verifies(note.text, line.payload):
            raise LedgerError("its cosignature does not verify")
        return True
