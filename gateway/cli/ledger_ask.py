"""`erp-gateway ledger ask`: one question about one document, by any of its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from gateway.cli.console import DataOption, JsonOption, complain, data_directory, print_json, print_line, print_table
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from gateway.domain.document_names import NamedBy
from gateway.domain.named_question import NamedQuestion

QUESTIONS_PATH: Final = "/v1/ledger/questions"
_COLUMNS: Final[Mapping[NamedQuestion, Sequence[str]]] = {
    NamedQuestion.WHERE_STUCK: ("sinceAt", "status", "awaited", "awaitedId", "nextLookAt", "tries", "whatToDo"),
    NamedQuestion.WHY_FAILED: (
        "failedAt",
        "status",
        "systemId",
        "problemCode",
        "erpMessageCode",
        "erpField",
        "detail",
        "remedy",
    ),
    NamedQuestion.EVENTS_TOLD: ("acceptedAt", "status", "wasSentAgain", "events"),
    NamedQuestion.WAITING_DOCUMENTS: ("sinceAt", "status", "depth", "awaitedTransactionId", "nextLookAt"),
}

_NOTHING: Final[Mapping[NamedQuestion, str]] = {
    NamedQuestion.WHERE_STUCK: "nothing is stuck: all of its lineage has ended, and nothing is left to a person",
    NamedQuestion.WHY_FAILED: "nothing of it was refused, and nothing fails",
    NamedQuestion.EVENTS_TOLD: "no transaction of it is known",
    NamedQuestion.WAITING_DOCUMENTS: "nothing waits for it",
}
"""What is said where there is no row."""


def ask(
    question: Annotated[NamedQuestion, typer.Argument(help="What to ask.")],
    name: Annotated[str, typer.Argument(help="An id, an external id, a number in any ERP, or a reference there.")],
    domain: Annotated[str | None, typer.Option(help="The document family, where a name means several.")] = None,
    source: Annotated[str | None, typer.Option(help="Who owns the external id.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "auditor",
    live: Annotated[bool, typer.Option("--live", help="Ask the running gateway of the data directory.")] = False,
    json: JsonOption = False,
) -> None:
    """Ask where a document is stuck, why it failed, whether it was sent or told again, or what waits for it.

    Without --live, --url or --token the record of the data directory is read itself, whether its gateway runs or not.
    """
    if live or url or token:
        asked = {key: text for key, text in (("name", name), ("domain", domain), ("source", source)) if text}
        found = gateway_of(data, url, token, client).get(f"{QUESTIONS_PATH}/{question}", asked)
    else:
        from gateway.cli import ledger_record  # noqa: PLC0415 - where no gateway is asked

        where = NamedBy(name=name, domain=domain, source=source)
        found = ledger_record.answer(data_directory(data), question, where)
    if json:
        print_json(found)
        return
    if found.get("isCut"):
        complain("there is more than is listed: ask by an id, or with --domain and --source")
    if not found["items"]:
        print_line(f"{name}: {_NOTHING[question]}")
        return
    columns = ("externalId", "domain", "operation", *_COLUMNS[question], "transactionId")
    print_table(columns, [[_cell(one[column]) for column in columns] for one in found["items"]])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(f"{one['kind']} {one['sequence']} @ {one['streamSequence'] or 'waits'}" for one in value)
    return "" if value is None else str(value)
