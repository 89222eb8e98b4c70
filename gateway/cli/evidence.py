"""`erp-gateway evidence`: signed packs about a transaction, a lineage, a change of the rules, a sample; their key."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError

from gateway.api.evidence_schemas import EvidenceRequest
from gateway.api.evidence_subjects import subject_of
from gateway.api.visibility import Visibility
from gateway.cli.console import (
    DataOption,
    Failure,
    JsonOption,
    data_directory,
    print_json,
    print_line,
    reading,
    settings_of,
)
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.errors import Problem
from gateway.ledger.access_log import AccessLog, Asker
from gateway.ledger.errors import KeyMisused
from gateway.ledger.evidence.desk import RESOURCE, EvidenceDesk, Pack
from gateway.ledger.evidence.subjects import For
from gateway.ledger.key_files import KeyPurpose
from gateway.store.store import Store
from gateway.wiring.ledger import key_files, log_origin
from gateway.wiring.tools import open_tools
from routing_rules.canonical_text import rulebook_from_canonical

app = typer.Typer(no_args_is_help=True)

OutOption = Annotated[Path | None, typer.Option("--out", help="Where the pack is written; by default evd_….zip here.")]
HeldOption = Annotated[
    int | None,
    typer.Option(
        "--held-size", min=1, help="The size of the log as you verified it; the pack shows that it continues."
    ),
]
LiveOption = Annotated[bool, typer.Option("--live", help="Ask the running gateway of the data directory.")]
_CLIENT: Final = "command-line"


@app.callback()
def evidence() -> None:
    """Evidence packs: one signed zip file each, for `erp-gateway ledger verify` and for people."""


@app.command()
def transaction(
    transaction_id: Annotated[str, typer.Argument(help="The id of a transaction.")],
    data: DataOption = None,
    out: OutOption = None,
    held_size: HeldOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: LiveOption = False,
    json: JsonOption = False,
) -> None:
    """All that proves one transaction: its entries, decision, answers, and what they commit to."""
    asked = {"about": "transaction", "transactionId": transaction_id, "heldSize": held_size}
    _make(asked, data, out, (url, token, client), live=live, json=json)


@app.command()
def lineage(
    lineage_id: Annotated[str, typer.Argument(help="The id of a lineage; `ledger trace NAME` tells it.")],
    data: DataOption = None,
    out: OutOption = None,
    held_size: HeldOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: LiveOption = False,
    json: JsonOption = False,
) -> None:
    """The same of a root document and all that follows from it."""
    asked = {"about": "lineage", "lineageId": lineage_id, "heldSize": held_size}
    _make(asked, data, out, (url, token, client), live=live, json=json)


@app.command("rule-change")
def rule_change(
    activation_number: Annotated[int, typer.Argument(min=1, help="The number of an activation.")],
    data: DataOption = None,
    out: OutOption = None,
    held_size: HeldOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: LiveOption = False,
    json: JsonOption = False,
) -> None:
    """What was in force before and after, and who wrote, checked, approved, waived and activated it."""
    asked = {"about": "ruleChange", "activationNumber": activation_number, "heldSize": held_size}
    _make(asked, data, out, (url, token, client), live=live, json=json)


@app.command()
def sample(
    size: Annotated[int, typer.Argument(min=1, help="How many transactions are drawn.")],
    nonce: Annotated[str, typer.Option("--nonce", help="What you thought of: 16 to 128 characters without blanks.")],
    data: DataOption = None,
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
    out: OutOption = None,
    held_size: HeldOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: LiveOption = False,
    json: JsonOption = False,
) -> None:
    """Transactions drawn by your nonce and the log's root, which nobody chose; name the checkpoint before the nonce."""
    asked = {
        "about": "sample", "sampleSize": size, "nonce": nonce, "logSize": log_size, "domain": domain,
        "operation": operation, "businessUnit": business_unit, "geography": geography, "companyCode": company_code,
        "acceptedFrom": since, "acceptedUntil": until, "heldSize": held_size,
    }  # fmt: skip
    _make(asked, data, out, (url, token, client), live=live, json=json)


@app.command()
def key(data: DataOption = None, json: JsonOption = False) -> None:
    """Print the verifier key of evidence packs. Hand it over by another way than the packs."""
    place = data_directory(data)
    try:
        found = key_files(place, settings_of(place)).signer(KeyPurpose.EVIDENCE).key.text
    except KeyMisused as error:
        raise Failure(str(error), 2) from error
    print_json({"verifierKey": found}) if json else print_line(found)


def _make(
    members: Mapping[str, Any],
    data: Path | None,
    out: Path | None,
    over: tuple[str | None, str | None, str],
    *,
    live: bool,
    json: bool,
) -> None:
    asked = {name: value for name, value in members.items() if value is not None}
    url, token, client = over
    if live or url or token:
        target = out or Path(f"evidence-{asked['about']}.zip")
        _save(target, gateway_of(data, url, token, client).post_for_bytes(RESOURCE, asked))
    else:
        pack = _made(data_directory(data), asked)
        target = out or Path(pack.file_name)
        _save(target, pack.archive)
    if json:
        print_json({"file": str(target), "bytes": target.stat().st_size})
    else:
        print_line(f"{target}: check it with `erp-gateway ledger verify {target} --key … --evidence-key …`")


def _save(target: Path, archive: bytes) -> None:
    try:
        target.write_bytes(archive)
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}", 2) from error


def _made(data: Path, asked: Mapping[str, Any]) -> Pack:
    """Out of the record itself, whether its gateway runs or not; recorded there as an export of this machine's user."""
    settings = settings_of(data)
    try:
        request = EvidenceRequest.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise Failure(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 2) from error
    signer = partial(key_files(data, settings).signer, KeyPurpose.EVIDENCE)
    who = Asker(client=_CLIENT, person=getpass.getuser(), issuer="local")

    async def make(store: Store) -> Pack:
        newest = await store.reads.activations(1, None)
        if not newest:
            raise Failure(f"nothing was ever in force in {data}: start the gateway once")
        rulebook = rulebook_from_canonical(newest[0].rules, newest[0].governance)
        accesses = AccessLog(store, open_tools(data, settings.name))
        desk = EvidenceDesk(store, accesses, log_origin(settings), signer)
        subject = subject_of(request, Visibility(lambda: rulebook).filtered)
        return await desk.make(subject, For(held_size=request.held_size), who)

    try:
        return reading(data, make)
    except Failure as failure:
        cause = failure.__cause__
        if isinstance(cause, Problem):
            raise Failure(_told(cause), 2) from cause
        raise


def _told(refused: Problem) -> str:
    remedies = "".join(f"\n  {one.field}: {one.message}. {one.remedy}" for one in refused.errors)
    return f"{refused.detail} {refused.remedy}{remedies}"
