"""The witness (C2SP tlog-witness): it cosigns a log's checkpoint only if the log grew from what it cosigned before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint
from gateway.ledger.cosignature import cosign
from gateway.ledger.errors import KeyMisused, Malformed, NoteUnsigned, ProofInvalid, SignatureInvalid
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.note_keys import SignatureType, Signer
from gateway.ledger.notes import parse_note
from gateway.ledger.proofs import check_consistency
from gateway.ledger.witness_request import (
    AddCheckpoint,
    WitnessAnswer,
    conflict,
    cosigned,
    parse_add_checkpoint,
    refused,
)
from gateway.ledger.witness_state import WitnessState


class Witness:
    """One witness for any number of logs. Its key must be kept away from those who run the logs."""

    def __init__(self, signer: Signer, logs: Sequence[LogKeys], state: WitnessState, clock: Callable[[], int]) -> None:
        """`clock` gives s since 1970. Raises `KeyMisused` for a key that is no cosigner's, or that of a log."""
        if signer.key.signature_type is not SignatureType.COSIGNATURE:
            raise KeyMisused(f"{signer.key.name}: a witness's key has the type 04")
        for log in logs:
            if signer.key.public in {key.public for key in log.known}:
                raise KeyMisused(f"{signer.key.name} has the key of {log.origin}: a log does not witness itself")
        self._signer = signer
        self._logs = {log.origin: log for log in logs}
        self._state = state
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Answer a request, whatever it holds; what is cosigned is remembered before this returns.

        Raises:
            StateBroken: the memory is damaged or held elsewhere: nothing was cosigned (500, 503 over HTTP).
        """
        try:
            request = parse_add_checkpoint(body)
            origin = parse_checkpoint(parse_note(request.checkpoint).text).origin
        except Malformed as error:
            return refused(400, str(error))
        log = self._logs.get(origin)
        if log is None:
            return refused(404, f"{origin} is not witnessed here")
        try:
            signed = log.open_checkpoint(request.checkpoint)
        except (NoteUnsigned, SignatureInvalid) as error:
            return refused(403, str(error))
        if request.old_size > signed.checkpoint.size:
            return refused(400, f"old size {request.old_size} is larger than the checkpoint's {signed.checkpoint.size}")
        return self._advance(request, signed)

    def _advance(self, request: AddCheckpoint, signed: SignedCheckpoint) -> WitnessAnswer:
        checkpoint = signed.checkpoint
        with self._state.log(checkpoint.origin) as memory:
            latest = memory.latest()
            had = latest.size if latest else 0
            if request.old_size != had:
                return conflict(had)
            if latest is not None and checkpoint.size == had and checkpoint.root != latest.root:
                return conflict(had)
            try:
                _check_growth(latest, checkpoint, request.proof)
            except ProofInvalid as error:
                return refused(422, str(error))
            memory.remember(signed.note)
            return cosigned([cosign(self._signer, checkpoint.text, self._clock()).line])


def _check_growth(latest: Checkpoint | None, checkpoint: Checkpoint, proof: tuple[bytes, ...]) -> None:
    """Raise `ProofInvalid` unless the proof leads from the latest checkpoint to this one."""
    if latest is None or latest.size == 0:
        if proof:
            raise ProofInvalid("from an old size of 0 there is nothing to prove: the proof must be empty")
        return
    check_consistency(proof, old=latest.size, new=checkpoint.size, old_root=latest.root, new_root=checkpoint.root)
