"""`erp-gateway rules explain`: how a document would be routed and why, by the gateway, the record, or files."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.cli import rules_files
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json
from gateway.cli.gateway_http import ClientOption, GatewayHttp, TokenOption, UrlOption, gateway_of
from gateway.cli.rules_report import print_explanation
from gateway.domain.facts import camel, wire_members
from routing_rules import (
    DomainNotServed,
    Facts,
    FactsInvalid,
    Rulebook,
    UnknownNode,
    decide,
    miss_of,
    rulebook_from_canonical,
)
from routing_rules.kept_files import with_lines


def explain(
    domain: Annotated[str | None, typer.Option(help="orders, invoices, ...")] = None,
    transaction: Annotated[str | None, typer.Option(help="Its id: how it was decided then, and would be now.")] = None,
    rulebook: Annotated[Path | None, typer.Option(help="A directory instead of the rulebook in force.")] = None,
    operation: str = "create",
    business_unit: str | None = None,
    geography: str | None = None,
    company_code: str | None = None,
    document_type: str | None = None,
    customer_segment: str | None = None,
    amount: Annotated[str | None, typer.Option(help="Such as 440.00, with --currency.")] = None,
    currency: str | None = None,
    posting_date: Annotated[str | None, typer.Option(help="YYYY-MM-DD.")] = None,
    share_key: Annotated[str | None, typer.Option(help="What a pilot's share splits by.")] = None,
    root_external_id: Annotated[str | None, typer.Option(help="The root's external id, for an allow-list.")] = None,
    why_not: Annotated[str | None, typer.Option(help="A row: why it does not decide, and what would flip it.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """How a document with these facts would be routed, and why; or how a transaction was. Nothing is posted.

    With --url the gateway there is asked; with --rulebook the files of a directory; otherwise the version that is in
    force by the record of the data directory, whether its gateway runs or not.
    """
    if transaction is not None:
        from gateway.cli.rules_past import explain_transaction  # noqa: PLC0415 - of the record

        explain_transaction(data_directory(data), transaction, why_not, json=json)
        return
    if domain is None:
        raise Failure("name a --domain and its facts, or a --transaction", 2)
    if url is not None and rulebook is not None:
        raise Failure("a gateway is asked, or files are: name --url or --rulebook", 2)
    facts = _facts(
        domain=domain,
        operation=operation,
        business_unit=business_unit,
        geography=geography,
        company_code=company_code,
        document_type=document_type,
        customer_segment=customer_segment,
        amount=amount,
        currency=currency,
        posting_date=posting_date,
        share_key=share_key,
        root_external_id=root_external_id,
    )
    if url is not None:
        told = _by_gateway(gateway_of(data, url, token, client), facts, why_not)
    elif rulebook is not None:
        told = _by_rules(rules_files.load(rulebook), facts, why_not)
    else:
        from gateway.cli.rules_in_force import in_force  # noqa: PLC0415 - of the record

        book, number = in_force(data_directory(data))
        told = _by_rules(book, facts, why_not) | ({} if number is None else {"activationNumber": number})
    if json:
        print_json(told)
    else:
        print_explanation(told)


def _facts(amount: str | None, posting_date: str | None, **texts: Any) -> Facts:
    try:
        return Facts(
            amount=None if amount is None else Decimal(amount),
            posting_date=None if posting_date is None else date.fromisoformat(posting_date),
            **texts,
        )
    except InvalidOperation as error:
        raise Failure(f"--amount {amount} is no decimal number", 2) from error
    except (FactsInvalid, ValueError) as error:
        raise Failure(str(error), 2) from error


def _by_rules(book: Rulebook, facts: Facts, why_not: str | None) -> dict[str, Any]:
    """In wire words, as the gateway answers."""
    try:
        explanation = decide(book, facts).explanation
        miss = explanation.near_miss if why_not is None else miss_of(book.index(facts.domain), facts, why_not)
    except (UnknownNode, DomainNotServed) as error:
        raise Failure(str(error), 2) from error
    except KeyError as error:
        raise Failure(f"the table of {facts.domain} has no row {why_not}", 2) from error
    told: dict[str, Any] = wire_members(explanation.as_json() | {"why_not": miss and miss.as_json()})
    return told


def _by_gateway(gateway: GatewayHttp, facts: Facts, why_not: str | None) -> dict[str, Any]:
    """What the running gateway answers. A row that is asked for is looked at in the texts of what is in force there."""
    names = {name: value for name, value in facts.as_json().items() if name != "schema_version"}
    names |= {"share_key": facts.share_key, "root_external_id": facts.root_external_id}
    query = {camel(name): str(value) for name, value in names.items() if value is not None}
    told = gateway.get("/v1/routing/explain", query)
    for name in ("traceId", "rateLimit"):
        told.pop(name, None)
    if why_not is None:
        return told
    texts = gateway.get(f"/v1/rulebooks/{quote(str(told['activationNumber']), safe='')}")
    files = {one["fileName"]: one["text"] for one in texts["files"]}
    book = with_lines(rulebook_from_canonical(texts["rulesText"], texts["governanceText"]), files)
    return told | {"whyNot": _by_rules(book, facts, why_not)["whyNot"]}
