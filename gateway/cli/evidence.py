"""`erp-gateway evidence`: signed packs about a transaction, a lineage, a change of the rules, a sample; their key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from io import BytesIO
from json import loads as json_of
from pathlib import Path
from typing import Annotated, Any, Final
from zipfile import BadZipFile, ZipFile

import typer

from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    data_directory,
    print_json,
    print_line,
    settings_of,
)
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.ledger.errors import KeyMisused
from gateway.ledger.key_files import KeyPurpose
from gateway.wiring.ledger_files import key_files

app = typer.Typer(no_args_is_help=True)

OutOption = Annotated[Path | None, typer.Option("--out", help="Where the pack is written; by default evd_….zip here.")]
HeldOption = Annotated[
    int | None,
    typer.Option(
        "--held-size", min=1, help="The size of the log as you verified it; the pack shows that it continues."
    ),
]
LiveOption = Annotated[bool, typer.Option("--live", help="Ask the running gateway of the data directory.")]
_PACK_ID: Final = re.compile(r"evd_[0-9A-Z]{26}", re.ASCII)
RESOURCE: Final = "/v1/ledger/evidence"


@app.callback()
def evidence() -> None:
    """Evidence packs: one signed zip file each, for `erp-gateway ledger verify` and for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What every pack is asked with: where, for whom, and how it is told."""

    data: DataOption = None
    out: OutOption = None
    held_size: HeldOption = None
    url: UrlOption = None
    token: TokenOption = None
    client: ClientOption = "auditor"
    live: LiveOption = False
    json: JsonOption = False


def pack(command: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """A command that makes the pack about what the function names: it has its parameters, and the options of `How`."""
    own = signature(command, eval_str=True).parameters
    shared = {name: one.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for name, one in _HOW.items()}

    @wraps(command)
    def run(**given: Any) -> None:
        how = How(**{name: given.pop(name) for name in shared})
        _make(command(**given), how)

    run.__signature__ = Signature([*own.values(), *shared.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {name: one.annotation for name, one in {**own, **shared}.items()}
    return run


_HOW: Final = signature(How, eval_str=True).parameters


@app.command()
@pack
def transaction(
    transaction_id: Annotated[str, typer.Argument(help="The id of a transaction.")],
) -> dict[str, Any]:
    """All that proves one transaction: its entries, decision, answers, and what they commit to."""
    return {"about": "transaction", "transactionId": transaction_id}


@app.command()
@pack
def lineage(
    lineage_id: Annotated[str, typer.Argument(help="The id of a lineage; `ledger trace NAME` tells it.")],
) -> dict[str, Any]:
    """The same of a root document and all that follows from it."""
    return {"about": "lineage", "lineageId": lineage_id}


@app.command("rule-change")
@pack
def rule_change(
    activation_number: Annotated[int, typer.Argument(min=1, help="The number of an activation.")],
) -> dict[str, Any]:
    """What was in force before and after, and who wrote, checked, approved, waived and activated it."""
    return {"about": "ruleChange", "activationNumber": activation_number}


@app.command()
@pack
def sample(
    size: Annotated[int, typer.Argument(min=1, help="How many transactions are drawn.")],
    nonce: Annotated[str, typer.Option("--nonce", help="What you thought of: 16 to 128 characters without blanks.")],
    log_size: Annotated[
        int | None,
        typer.Option("--log-size", min=1, help="The first checkpoint of at least so many entries closes it."),
    ] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Only of this domain.")] = None,
    operation: Annotated[
        str | None, typer.Option("--operation", help="Only create, change, cancel or reverse.")
    ] = None,
    business_unit: Annotated[str | None, typer.Option("--business-unit", help="With all below it.")] = None,
    geography: Annotated[str | None, typer.Option("--geography", help="With all below it.")] = None,
    company_code: Annotated[str | None, typer.Option("--company-code", help="Only of this one.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Accepted at or after this instant (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Accepted before this instant.")] = None,
) -> dict[str, Any]:
    """Transactions drawn by your nonce and the log's root, which nobody chose; name the checkpoint before the nonce."""
    return {
        "about": "sample", "sampleSize": size, "nonce": nonce, "logSize": log_size, "domain": domain,
        "operation": operation, "businessUnit": business_unit, "geography": geography, "companyCode": company_code,
        "acceptedFrom": since, "acceptedUntil": until,
    }  # fmt: skip


@app.command()
def key(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the verifier key of evidence packs. Hand it over by another way than the packs."""
    place = data_directory(data)
    try:
        found = key_files(place, settings_of(place)).signer(KeyPurpose.EVIDENCE).key.text
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
    print_json({"verifierKey": found}) if json else print_line(found)


def _make(members: Mapping[str, Any], how: How) -> None:
    asked = {name: value for name, value in {**members, "heldSize": how.held_size}.items() if value is not None}
    if how.live or how.url or how.token:
        gateway = gateway_of(how.data, how.url, how.token, how.client)
        archive = gateway.post_for_bytes(RESOURCE, asked)
        target = how.out or _own_name(archive)
        _save(target, archive)
    else:
        from gateway.cli import evidence_record  # noqa: PLC0415 - where no gateway is asked

        made = evidence_record.made(data_directory(how.data), asked)
        target = how.out or Path(made.file_name)
        _save(target, made.archive)
    if how.json:
        print_json({"file": str(target), "bytes": target.stat().st_size})
    else:
        print_line(f"{target}: check it with `erp-gateway ledger verify {target} --key … --evidence-key …`")


def _own_name(archive: bytes) -> Path:
    """As the pack calls itself, and the ledger its export: no other pack has the name. What came from a gateway is
    believed no path. Raises Failure."""
    try:
        with ZipFile(BytesIO(archive)) as files:
            pack_id = json_of(files.read("pack.json"))["packId"]
    except (BadZipFile, OSError, ValueError, LookupError, TypeError, RuntimeError, NotImplementedError) as error:
        raise Failure(f"what the gateway gave is no evidence pack: {error}") from error
    if not isinstance(pack_id, str) or not _PACK_ID.fullmatch(pack_id):
        raise Failure(f"what the gateway gave is no evidence pack: {str(pack_id)[:80]!r} is no id of one")
    return Path(f"{pack_id}.zip")


def _save(target: Path, archive: bytes) -> None:
    try:
        target.write_bytes(archive)
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}", 2) from error
