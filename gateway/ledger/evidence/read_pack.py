"""The words of a pack, `pack.json`, read strictly. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from gateway.ledger.evidence.contents import PACK
from gateway.ledger.evidence.sampling import MOST_DRAWN, NONCE
from gateway.ledger.evidence.wrong import PackWrong

_INDEX: Final = 2**63 - 1

Index = Annotated[int, Field(ge=0, le=_INDEX)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=500)]


class _Words(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, strict=True, extra="forbid", frozen=True, serialize_by_alias=True
    )


class ToldCheckpoint(_Words):
    """Size and root (base64)."""

    size: Index
    root_hash: Text


class ToldEntry(_Words):
    """An entry of the pack; `found` by its question, or standing `beside`."""

    log_index: Index
    trace: Text
    seq: Index
    leaf_hash: Hex
    role: Literal["found", "beside"]


class ToldOpening(_Words):
    """What became of what an entry commits to; `salt` in base64 where it is shown."""

    log_index: Index
    member: Text
    commitment: Hex
    state: Literal["shown", "withheld", "erased", "unavailable", "missing"]
    path: Text | None
    salt: Text | None


class ToldRules(_Words):
    """Rules that were in force."""

    activation_number: Index
    rules_version: Hex
    governance_version: Hex
    activated_at: Text


class ToldConsistency(_Words):
    """A consistency proof (base64) from the tree of `size` entries."""

    size: Index
    proof: list[Text]


class ToldDrawn(_Words):
    """A transaction that was drawn."""

    log_index: Index
    trace: Text
    score: Hex


class ToldSum(_Words):
    """What entries of a kind bear in a currency."""

    kind: Text
    currency_code: Text
    amount: Text
    entry_count: Index


class ToldPopulation(_Words):
    """What a sample was drawn of."""

    conditions: dict[str, Any]
    transaction_count: Index
    index_hash: Hex
    sums: list[ToldSum]


class ToldSample(_Words):
    """How it was drawn."""

    algorithm: Literal["erp-gateway/sample/v1"]
    nonce: Annotated[str, Field(pattern=f"^{NONCE}$")]
    seed: Hex
    closing: ToldCheckpoint
    population: ToldPopulation
    sample_size: Annotated[int, Field(ge=1, le=MOST_DRAWN)]
    drawn: list[ToldDrawn]


class ToldPack(_Words):
    """All of it."""

    format: Literal["erp-gateway/evidence/v1"]
    pack_id: Text
    origin: Text
    made_at: Text
    made_for: Text
    whole_data_scope: bool
    checkpoint: ToldCheckpoint
    query: dict[str, Any]
    entries: list[ToldEntry]
    openings: list[ToldOpening]
    rules: list[ToldRules]
    consistency: list[ToldConsistency]
    sample: ToldSample | None
    left_out: list[Text]


def read_pack(files: Mapping[str, bytes]) -> ToldPack:
    """Raises PackWrong."""
    data = files.get(PACK)
    if data is None:
        raise PackWrong("pack", PACK, "it is missing")
    try:
        return ToldPack.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PackWrong("pack", PACK, f"{where or 'the whole'}: {first['msg']}") from error


def indices(entries: Sequence[ToldEntry]) -> list[int]:
    """Their places, which ascend. Raises PackWrong."""
    found = [one.log_index for one in entries]
    if found != sorted(set(found)):
        raise PackWrong("pack", PACK, "its entries are not in the order of the log, or one is there twice")
    return found
