"""That a pack's checkpoint continues older trees, and that its sample was drawn as it must be. Pure."""

from __future__ import annotations

from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.errors import LedgerError
from gateway.ledger.evidence.contents import CHECKPOINT, CLOSING, PACK
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.sampling import Drawn, score_of, seed_of
from gateway.ledger.evidence.wrong import PackWrong
from gateway.ledger.held import Held
from gateway.ledger.lines import base64_text, parse_proof
from gateway.ledger.proofs import check_consistency


def check_continues(pack: ProvenPack, held: Held | None) -> int | None:
    """The size that was seen before, which the pack's checkpoint continues. Raises PackWrong where it is not shown."""
    if held is None:
        return None
    seen = held.checkpoint
    if seen.size > pack.checkpoint.size:
        raise PackWrong(
            "older",
            CHECKPOINT,
            f"it covers {pack.checkpoint.size} entries, and {seen.size} were seen before: a pack cannot show that it "
            "is how these begin. Verify it without --state, or have it made again",
        )
    _check_older(pack, seen, f"the {seen.size} entries that were seen before")
    return seen.size


def check_sample(pack: ProvenPack) -> None:
    """Seed, scores and order are as the algorithm says, and the population was closed by the log. Raises PackWrong.

    That nobody else of the population has a smaller score is shown by drawing again from the published log
    (`gateway.ledger.evidence.comparing`).
    """
    sample = pack.told.sample
    if (pack.told.query.get("about") == "sample") is (sample is None):
        raise PackWrong("sample", PACK, "it is about a sample and describes none, or the other way round")
    if sample is None:
        return
    try:
        closing = pack.log.open_checkpoint(pack.file(CLOSING)).checkpoint
    except PackWrong:
        raise
    except LedgerError as error:
        raise PackWrong("sample", CLOSING, str(error)) from error
    if (sample.closing.size, sample.closing.root_hash) != (closing.size, base64_text(closing.root)):
        raise PackWrong("sample", CLOSING, "it is not the checkpoint that the sample names")
    _check_older(pack, closing, "the checkpoint that closes the population")
    seed = seed_of(sample.nonce, closing.root)
    if seed.hex() != sample.seed or pack.told.query.get("nonce") != sample.nonce:
        raise PackWrong("sample", PACK, "its seed is not SHA-256 of its nonce and the closing root")
    if pack.told.query.get("sampleSize") != sample.sample_size:
        raise PackWrong("sample", PACK, "it was drawn of another size than was asked for")
    drawn = [Drawn(score_of(seed, one.log_index), one.log_index) for one in sample.drawn]
    if [one.score.hex() for one in drawn] != [one.score for one in sample.drawn] or drawn != sorted(set(drawn)):
        raise PackWrong("sample", PACK, "a score is not SHA-256 of seed and index, or they are not in order")
    if len(drawn) != min(sample.sample_size, sample.population.transaction_count):
        raise PackWrong("sample", PACK, "it drew fewer or more than was asked for")
    begun = {index: entry.body for index, entry in pack.entries.items() if entry.found and entry.body["seq"] == 1}
    if {one.log_index: one.trace for one in sample.drawn} != {index: body["trace"] for index, body in begun.items()}:
        raise PackWrong("sample", PACK, "its entries are not of the transactions that were drawn")
    for index, body in begun.items():
        if body["kind"] != "accepted" or index >= closing.size:
            raise PackWrong("sample", PACK, f"entry {index} begins no transaction of the population")


def _check_older(pack: ProvenPack, older: Checkpoint, what: str) -> None:
    if older.size == pack.checkpoint.size:
        if older.root != pack.checkpoint.root:
            raise PackWrong("forked", CHECKPOINT, f"of the same size as {what}, with another root")
        return
    proofs = {one.size: one.proof for one in pack.told.consistency}
    if older.size not in proofs:
        raise PackWrong(
            "unproven",
            PACK,
            f"it does not show that its checkpoint continues {what}: have it made with --held-size {older.size}",
        )
    try:
        check_consistency(
            parse_proof(proofs[older.size], PACK),
            old=older.size,
            new=pack.checkpoint.size,
            old_root=older.root,
            new_root=pack.checkpoint.root,
        )
    except LedgerError as error:
        raise PackWrong("forked", CHECKPOINT, f"it does not continue {what}: {error}") from error
