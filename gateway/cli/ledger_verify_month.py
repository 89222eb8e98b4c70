"""`erp-gateway ledger verify DIR`: the archive of a month, checked offline by who trusts nothing but keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gateway.cli.console import Failure, complain, print_json, print_line
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.errors import KeyMisused, LedgerError, Malformed
from gateway.ledger.lines import base64_text
from gateway.ledger.months.archived_leaves import ArchivedLeaves
from gateway.ledger.months.verify import verify_archive
from gateway.ledger.months.wrong import ArchiveWrong
from gateway.ledger.note_keys import VerifierKey


def check_archive(
    directory: Path,
    keys: Sequence[str],
    evidence_key: str | None,
    witnesses: Sequence[str],
    quorum: int,
    *,
    json: bool,
) -> None:
    """Tell what was found. Raises Failure: 1 if the archive is wrong, 2 for keys that are none."""
    try:
        known = [VerifierKey.parse(one) for one in keys]
        policy = WitnessPolicy(tuple(VerifierKey.parse(one) for one in witnesses), quorum)
        signer = None if evidence_key is None else VerifierKey.parse(evidence_key)
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error
    try:
        found = verify_archive(directory, known, evidence_key=signer, witnesses=policy)
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
    except LedgerError as error:
        if json:
            print_json({"ok": False, "wrong": str(error)})
        raise Failure(f"{directory} is NOT as it was signed: {error}") from error
    if json:
        print_json(found.as_json())
        return
    checkpoint = found.signed.checkpoint
    log = checkpoint.origin
    print_line(f"{directory}: {found.entries} entries of {found.month} are in the log of {log}, as signed")
    print_line(f"the log had {checkpoint.size} entries, root {base64_text(checkpoint.root)}")
    for one in found.cosignatures:
        print_line(f"cosigned by {one.key.name}, {one.time} s after 1970")
    if not found.vouched:
        complain("without --evidence-key nobody vouches that no entry of the month is left out")


def take_archives(
    archives: ArchivedLeaves, directories: Iterable[Path], keys: Sequence[VerifierKey], evidence_key: VerifierKey | None
) -> None:
    """Have them verified and their entries at hand. Raises Failure if one is wrong, KeyMisused."""
    for directory in directories:
        try:
            archives.add(directory, keys, evidence_key)
        except ArchiveWrong as error:
            raise Failure(f"{directory} is NOT as it was signed: {error}") from error
