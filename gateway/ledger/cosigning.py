"""Asking witnesses to cosign (C2SP tlog-witness, the log's side)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
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


@dataclass
class _Known:
    """What is known of a witness: the size that it has, and until when (loop time) it is left alone."""

    key: VerifierKey
    size: int = 0
    until: float = field(default=float("-inf"))


class Cosigners:
    """The witnesses of a log. `nodes` gives the hashes of the tree of a size, for a thread. `cosigned_at`: is told the
    name of who cosigned and when, by that one's clock (s since 1970)."""

    def __init__(
        self,
        keys: Sequence[VerifierKey],
        witnesses: Witnesses,
        nodes: Callable[[Checkpoint, Note], NodeSource],
        cosigned_at: Callable[[str, int], None] = lambda _witness, _at_s: None,
    ) -> None:
        self._known = [_Known(key) for key in keys]
        self._witnesses = witnesses
        self._nodes = nodes
        self._cosigned_at = cosigned_at

    async def cosigned(self, checkpoint: Checkpoint, note: Note) -> Note:
        """The note with the cosignatures of the witnesses that answered.

        Raises:
            Contradicted: a witness has seen a tree that this one does not continue.
        """
        now = asyncio.get_running_loop().time()
        asked = [one for one in self._known if one.until <= now]
        answers = await asyncio.gather(*(self._ask(one, checkpoint, note) for one in asked))
        return with_cosignatures(note, [line for lines in answers for line in lines], [one.key for one in asked])

    async def _ask(self, one: _Known, checkpoint: Checkpoint, note: Note) -> Sequence[NoteSignature]:
        try:
            return await self._add(one, checkpoint, note)
        except Contradicted:
            raise
        except (LedgerError, OSError, TimeoutError) as error:
            one.until = asyncio.get_running_loop().time() + PAUSE_S
            _log.warning("witness_failed", witness=one.key.name, error=str(error) or type(error).__name__)
            return ()

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
