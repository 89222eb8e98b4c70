"""What the log is called, and where its keys and the checkpoint outside of the database lie."""

from __future__ import annotations

from pathlib import Path

from gateway.ledger.held import HeldFile
from gateway.ledger.key_files import KeyFiles
from gateway.settings import Settings


def log_origin(settings: Settings) -> str:
    """The name of this gateway's log and of the key that signs it."""
    return settings.ledger.origin or f"{settings.name}/ledger"


def key_files(data: Path, settings: Settings) -> KeyFiles:
    """The ledger's key files, in the data directory."""
    return KeyFiles(data, log_origin(settings))


def held_checkpoint(data: Path, settings: Settings) -> HeldFile:
    """The checkpoint that is held outside of the database."""
    return HeldFile(data / settings.ledger.held_file, log_origin(settings))
