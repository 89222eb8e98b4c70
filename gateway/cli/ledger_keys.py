"""`erp-gateway ledger rotate`: another key signs the log, without anybody losing what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import DataOption, Failure, data_directory, print_line, settings_of
from gateway.cli.ledger_log import NOTHING_YET, log_signers
from gateway.cli.record import reading
from gateway.ledger.errors import KeyMisused, NoteUnsigned
from gateway.ledger.log_files import size_of
from gateway.ledger.log_keys import LogKeys
from gateway.store.store import Store
from gateway.wiring.ledger_files import held_checkpoint, key_files, log_origin


def rotate(
    step: Annotated[str, typer.Argument(help="`begin`: from now on two keys sign. `finish`: only the new one does.")],
    data: DataOption = None,
) -> None:
    """Let a new key follow the log's key: `begin`, hand the new verifier key to auditors and witnesses, `finish`.

    A running gateway takes both steps over within a second. Between them nobody notices who knows only one of the keys.
    """
    place = data_directory(data)
    if step == "begin":
        _begin(place)
    elif step == "finish":
        _finish(place)
    else:
        raise Failure(f"{step!r} is neither 'begin' nor 'finish'", 2)


def _begin(data: Path) -> None:
    settings = settings_of(data)
    origin, files = log_origin(settings), key_files(data, settings)
    log_signers(data)

    async def announce(store: Store) -> int:
        newest = await store.log.newest_checkpoint(origin)
        if newest is None:
            raise NoteUnsigned(NOTHING_YET)
        announced = await store.log.announcements(origin)
        note = bytes(files.begin_rotation(size_of(newest)))
        current, following = files.log_signers()
        known = LogKeys.pinned(current.key).following(announced)
        if following.key in known.known:  # this step was done before
            return len(announced)
        number = len(announced) + 1
        await store.write(lambda unit: unit.insert_announcement(origin, number, note))
        return number

    number = reading(data, announce)
    for signer in log_signers(data):
        print_line(signer.key.text)
    print_line(f"both sign from now on; the second is announced as keys/{number} with the log's files")


def _finish(data: Path) -> None:
    settings = settings_of(data)
    origin, files = log_origin(settings), key_files(data, settings)
    signers = log_signers(data)
    if len(signers) == 1:
        raise Failure("no rotation was begun: there is no log.next.key")
    following = LogKeys.pinned(signers[1].key)

    async def check(store: Store) -> None:
        held = held_checkpoint(data, settings).read()
        for note in (await store.log.newest_checkpoint(origin), held.note if held else None):
            if note is not None:
                following.open_checkpoint(note)

    try:
        reading(data, check)
    except Failure as error:
        raise Failure(
            f"the new key has not signed yet; let the gateway run for a second and repeat: {error}"
        ) from error
    try:
        files.finish_rotation()
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
    print_line(f"only {signers[1].key.text} signs from now on")
