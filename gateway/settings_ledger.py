"""The settings of the verifiable log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WitnessSettings(_Closed):
    """A witness that cosigns this ledger's checkpoints: its address up to `/add-checkpoint`, and its verifier key."""

    url: Annotated[str, Field(pattern="^https?://")]
    key: str


class LedgerSettings(_Closed):
    """The verifiable log. `origin` empty: `<name>/ledger`; choose one that nobody else has before auditors know it.

    `held_file`: the newest checkpoint, kept outside of the database; best on another disk. `startup_entries`: up to so
    many are all recomputed before anything is served. `recheck_s`: how often everything is, in the background.
    `halt_from_witnesses`: so many witnesses that say together that they saw another log end the signing; 0: none do, as
    they say it without a signature.
    """

    origin: Annotated[str, Field(pattern=r"^[!-*,-~]{0,255}$")] = ""
    held_file: Path = Path("ledger.held.json")
    witnesses: Annotated[list[WitnessSettings], Field(max_length=16)] = []
    halt_from_witnesses: Annotated[int, Field(ge=0, le=16)] = 0
    startup_entries: Annotated[int, Field(ge=0, le=100_000_000)] = 200_000
    recheck_s: Annotated[float, Field(ge=1)] = 86_400.0
