"""What a pack says, compared with what its entries prove. Pure."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection

from gateway.domain.identity import payload_commitment
from gateway.ledger.evidence.contents import KINDS, PACK, json_file
from gateway.ledger.evidence.openings import (
    ACCEPTED,
    ERASED,
    MISSING,
    REFUSAL,
    SHOWN,
    UNAVAILABLE,
    commitments_of,
    erased_in,
    refusals_kept,
)
from gateway.ledger.evidence.proven import ProvenPack
from gateway.ledger.evidence.read_pack import ToldOpening
from gateway.ledger.evidence.wrong import PackWrong


def check_openings(pack: ProvenPack) -> tuple[int, int]:
    """Every commitment of every entry is opened, or it is said why not; how many of either. Raises PackWrong.

    That something was erased is believed to an entry alone, of the same trace. What was accepted and is neither shown
    nor withheld nor erased is missing.
    """
    wanted = [
        (index, member, commitment)
        for index, entry in pack.entries.items()
        for member, commitment in commitments_of(entry.body)
    ]
    if [(one.log_index, one.member, one.commitment) for one in pack.told.openings] != wanted:
        raise PackWrong("pack", PACK, "it does not open, in this order, what its entries commit to")
    erased = erased_in(entry.body for entry in pack.entries.values())
    kept = refusals_kept(entry.body for entry in pack.entries.values())
    shown = 0
    for one in pack.told.openings:
        if one.state == SHOWN:
            _check_opening(pack, one)
            shown += 1
        elif one.path is not None or one.salt is not None:
            raise PackWrong("pack", PACK, f"what entry {one.log_index} commits to is {one.state}, and yet there")
        else:
            trace = pack.entries[one.log_index].body["trace"]
            _check_absent(one, erased.get(trace, ()), kept.get(trace))
    return shown, len(wanted) - shown


def _check_absent(one: ToldOpening, erased: Collection[str], kept: str | None = None) -> None:
    """`erased`: what entries of the same trace say that it was. `kept`: the refusal whose words must be there."""
    # packs of earlier programs say that a refusal was erased with its trace where a later one had replaced it
    told = one.commitment in erased or (one.member == REFUSAL and bool(erased))
    must_be = one.member == ACCEPTED or (one.member == REFUSAL and one.commitment == kept)
    if (one.state == ERASED and not told) or one.state == MISSING or (one.state == UNAVAILABLE and must_be):
        raise PackWrong(
            "payload",
            PACK,
            f"what entry {one.log_index} commits to as {one.member} is missing: it is not there, and no entry of the "
            "pack tells that it was erased",
        )


def _check_opening(pack: ProvenPack, one: ToldOpening) -> None:
    try:
        salt = b64decode(one.salt or "", validate=True)
    except (Base64Error, ValueError) as error:
        raise PackWrong("pack", PACK, f"the salt of entry {one.log_index} is no base64") from error
    if one.path is None or payload_commitment(salt, pack.file(one.path)) != one.commitment:
        path = one.path or PACK
        raise PackWrong("payload", path, f"it is not what entry {one.log_index} commits to as {one.member}")


def check_repeated(pack: ProvenPack) -> None:
    """The lists of decisions, approvals and answers repeat entries. Raises PackWrong."""
    for path, kinds in KINDS.items():
        repeated = [
            {"logIndex": index, "entry": entry.body}
            for index, entry in pack.entries.items()
            if entry.body["kind"] in kinds
        ]
        if pack.file(path) != json_file(repeated):
            raise PackWrong("list", path, "it does not repeat the entries of the pack")
