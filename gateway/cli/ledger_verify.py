"""`erp-gateway ledger verify`: a log, published as files or by a gateway, checked by who trusts nothing but its key."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.console import Failure, JsonOption, print_json, print_line
from gateway.cli.entry_progress import entry_progress
from gateway.cli.gateway_tiles import GatewayTiles
from gateway.cli.ledger_verify_month import check_archive, take_archives
from gateway.domain.wire import instant
from gateway.ledger.cosignature import WitnessPolicy
from gateway.ledger.errors import KeyMisused, LedgerError, Malformed
from gateway.ledger.lines import base64_text
from gateway.ledger.months.archived_leaves import ArchivedLeaves
from gateway.ledger.note_keys import VerifierKey
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.verification import Verification, Wrong
from gateway.ledger.verify import verify_tiles
from gateway.settings import SettingsError, read_secret

_US: Final = 1_000_000
_MOST_RANGES: Final = 10
"""Of entries that a line names."""
_YEAR_10000: Final = 253_402_300_800
"""In s since 1970: what comes later no calendar text can say, but a witness may state it."""


def verify(
    key: Annotated[list[str], typer.Option("--key", help="The log's verifier key, name+id+base64; again for more.")],
    pack: Annotated[
        Path | None,
        typer.Argument(help="An evidence pack (zip), or the directory of an archived month, instead of a log."),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            help="The published log: checkpoint and tile/ lie there. With a pack: compare its entries, and draw its "
            "sample again.",
        ),
    ] = None,
    gateway: Annotated[
        str | None, typer.Option("--gateway", help="Instead: the address of a running gateway, https://…")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="With --gateway: a token with ledger:read and all data; - reads stdin."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="The file that remembers what was seen of the log; keep it away from the log."),
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", help="A trusted witness's verifier key; again for more.")
    ] = None,
    quorum: Annotated[int, typer.Option("--quorum", min=0, help="How many witnesses must have cosigned.")] = 0,
    evidence_key: Annotated[
        str | None, typer.Option("--evidence-key", help="With a pack or a month: the verifier key of who signs them.")
    ] = None,
    archive: Annotated[
        list[Path] | None,
        typer.Option("--archive", help="With --gateway: the archive of a month that it has no more; again for more."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Recompute a log from its entries, and compare it with its signatures and with what was seen before. Or check an
    evidence pack, without a network; with --state, that it continues what was seen; with --directory, that it has all
    that the published log has of its transaction, lineage or sample, and that the log gives the same sample. Or the
    archive of a month.

    A gateway gives no entries that were taken out with their month: their hashes are verified, and their bytes as far
    as --archive holds them. The last line, and `entriesHashedOnly`, say of how many nothing but the hash was verified.

    Exit code 0: everything is as signed, and continues what was seen. 1: something is wrong, or the state file cannot
    be used. 2: a key is none, a file is not there, or the pack could not be compared with --directory (a directory that
    is not there or is no log, a log that is not whole or ends before the pack's checkpoint, a change of the rules, a
    restricted data scope); what is said of the pack itself still holds. Without --state it is remembered in the user's
    own state directory.
    """
    beside_pack = directory is not None and pack is not None and not pack.is_dir()
    if [None if beside_pack else directory, gateway, pack].count(None) != 2:
        raise Failure("name the log by --directory or by --gateway, or an evidence pack, or the archive of a month", 2)
    if archive and gateway is None:
        raise Failure("--archive goes with --gateway", 2)
    if pack is not None and pack.is_dir():
        check_archive(pack, key, evidence_key, witness or [], quorum, json=json)
        return
    if pack is not None:
        from gateway.cli.ledger_verify_pack import check_pack  # noqa: PLC0415 - it decides again, with all rules

        check_pack(pack, key, evidence_key, state, witness or [], quorum, directory, json=json)
        return
    try:
        keys = [VerifierKey.parse(one) for one in key]
        witnesses = WitnessPolicy(tuple(VerifierKey.parse(one) for one in witness or ()), quorum)
        seen = state or default_state(keys[0])
        with entry_progress() as progress:
            if directory is not None:
                found = verify_tiles(DirectoryTiles(directory), keys, seen, witnesses=witnesses, progress=progress)
            else:
                signer = None if evidence_key is None else VerifierKey.parse(evidence_key)
                with ArchivedLeaves() as archives, GatewayTiles(str(gateway), _token(token_file)) as tiles:
                    take_archives(archives, archive or (), keys, signer)
                    found = verify_tiles(tiles, keys, seen, witnesses=witnesses, progress=progress, archives=archives)
    except (KeyMisused, Malformed) as error:
        raise Failure(str(error), 2) from error
    except LedgerError as error:
        raise Failure(str(error)) from error
    if json:
        print_json(found.as_json())
    elif found.ok:
        _tell(found, seen)
    if found.wrong is not None:
        raise Failure(f"{found.origin} is NOT as it was signed: {_what(found.wrong)}")


def default_state(key: VerifierKey) -> Path:
    """Where what was seen of the log of that key is remembered (XDG Base Directory specification)."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "erp-gateway" / "seen" / f"{sha256(key.text.encode()).hexdigest()}.json"


def _token(file: Path | None) -> str:
    if file is None:
        raise Failure("--gateway needs --token-file: a token with the scope ledger:read and all data", 2)
    if str(file) == "-":
        return sys.stdin.readline().strip()
    try:
        return read_secret(file)
    except SettingsError as error:
        raise Failure(str(error), 2) from error


def _tell(found: Verification, state: Path) -> None:
    checkpoint = found.checkpoint
    if checkpoint is None:
        return
    are = "entries are as signed" if not found.hashed else f"hashes are as signed, and {found.entries} entries"
    print_line(f"{found.origin}: {checkpoint.size} {are}, root {base64_text(checkpoint.root)}")
    for key in found.keys:
        print_line(f"signed by {key.text}")
    for one in found.cosignatures:
        when = instant(one.time * _US) if one.time < _YEAR_10000 else f"{one.time} s after 1970"
        print_line(f"cosigned by {one.key.name} at {when}")
    if found.held_size:
        print_line(f"it continues the {found.held_size} entries that were seen before")
    elif found.seen is not None:
        print_line(f"seen for the first time: {state} remembers it from now on")
    if found.hashed:
        print_line(_not_recomputed(found))


def _not_recomputed(found: Verification) -> str:
    """Which entries nobody has looked at, on whose word, and how to have them looked at."""
    ranges = [f"{first} to {end - 1}" if end - first > 1 else str(first) for first, end in found.hashed]
    more = "" if len(ranges) <= _MOST_RANGES else f" and {len(ranges) - _MOST_RANGES} more ranges (--json names all)"
    months = ", ".join(map(str, found.archived_months))
    return (
        f"NOT recomputed, only their hashes are as signed: {found.hashed_only} entries "
        f"({', '.join(ranges[:_MOST_RANGES])}{more}). The gateway says that they are archived with {months}, or share "
        "a bundle with such: --archive DIR recomputes what an archive holds"
    )


def _what(wrong: Wrong) -> str:
    parts = [f"{wrong.reason}: {wrong.detail}"]
    if wrong.entry is not None and wrong.until is not None:
        last = wrong.until - 1
        parts.append(f"entry {wrong.entry}" if last == wrong.entry else f"entries {wrong.entry} to {last}")
    if wrong.path is not None:
        parts.append(wrong.path)
    return " · ".join(parts)
