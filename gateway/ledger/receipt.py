"""Receipts (C2SP tlog-proof, `.tlog-proof`): that an entry is in the log, to be checked offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.ledger.cosignature import Cosignature, WitnessPolicy
from gateway.ledger.errors import Malformed
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.lines import MAX_PROOF_LINES, base64_text, parse_base64, parse_decimal, parse_proof
from gateway.ledger.log_keys import LogKeys, SignedCheckpoint
from gateway.ledger.notes import MAX_NOTE_BYTES
from gateway.ledger.proofs import NodeSource, check_inclusion, inclusion_proof

MAX_EXTRA_BYTES: Final = 65_535
"""Of the extra data, which nobody signs: we write none, and bound what others may have written."""
MAX_RECEIPT_BYTES: Final = MAX_NOTE_BYTES + 45 * MAX_PROOF_LINES + 2 * MAX_EXTRA_BYTES
_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's index, the proof that it stands there, and the signed checkpoint that the proof leads to.

    `extra` is whatever its writer added; nothing vouches for it.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        """The file."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {base64_text(self.extra)}")
        lines += [f"index {self.index}", *map(base64_text, self.proof)]
        return "".join(f"{line}\n" for line in [*lines, ""]).encode("ascii") + self.checkpoint


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """What a receipt proved: the entry stands at `index` in the log, as signed and as cosigned."""

    index: int
    signed: SignedCheckpoint
    cosignatures: tuple[Cosignature, ...]


def parse_receipt(data: bytes) -> Receipt:
    """Read a `.tlog-proof` file. Nothing is verified. Raises `Malformed`."""
    if len(data) > MAX_RECEIPT_BYTES:
        raise Malformed(f"receipt: {len(data)} bytes, at most {MAX_RECEIPT_BYTES}")
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Malformed("receipt: the lines before the checkpoint are not ASCII") from error
    if not blank or first != _FIRST_LINE:
        raise Malformed(f"receipt: not {_FIRST_LINE}, lines and a blank line before the checkpoint")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "), "receipt, extra data")
        if len(extra) > MAX_EXTRA_BYTES:
            raise Malformed(f"receipt: {len(extra)} bytes of extra data, at most {MAX_EXTRA_BYTES}")
    if not lines or not lines[0].startswith("index "):
        raise Malformed("receipt: no line 'index <index>'")
    index = parse_decimal(lines.pop(0).removeprefix("index "), "receipt, index")
    return Receipt(index, parse_proof(lines, "receipt"), checkpoint, extra)


def verify_receipt(receipt: Receipt, entry: bytes, log: LogKeys, witnesses: WitnessPolicy) -> ProvenEntry:
    """Verify that these bytes are an entry of the log, with nothing but keys.

    Raises:
        Malformed, NoteUnsigned, SignatureInvalid: the checkpoint is not the log's, or not cosigned as wanted.
        ProofInvalid: the entry does not stand there.
    """
    signed = log.open_checkpoint(receipt.checkpoint)
    cosignatures = witnesses.check(signed, log)
    check_inclusion(
        receipt.proof,
        index=receipt.index,
        size=signed.checkpoint.size,
        leaf=leaf_hash(entry),
        root=signed.checkpoint.root,
    )
    return ProvenEntry(receipt.index, signed, cosignatures)


def receipt_for(nodes: NodeSource, index: int, entry: bytes, signed: SignedCheckpoint) -> Receipt:
    """Make a receipt that verifies. Raises `ProofInvalid` where the tiles or the entry are not what was signed."""
    return receipt_of(nodes, index, leaf_hash(entry), signed)


def receipt_of(nodes: NodeSource, index: int, leaf: bytes, signed: SignedCheckpoint) -> Receipt:
    """The same for an entry of which only the hash is at hand."""
    checkpoint = signed.checkpoint
    proof = inclusion_proof(nodes, index, checkpoint.size)
    check_inclusion(proof, index=index, size=checkpoint.size, leaf=leaf, root=checkpoint.root)
    return Receipt(index, proof, bytes(signed.note))
