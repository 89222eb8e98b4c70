"""`erp-gateway rules explain --transaction`: how it was decided then, and how it would be decided now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.cli.console import Failure, print_json, print_line
from gateway.cli.record import reading
from gateway.cli.rules_report import place_of
from gateway.cutover.past_decisions import PastDecisions
from gateway.domain.facts import wire_members
from gateway.domain.queries import Visible
from gateway.errors import Problem
from gateway.store.store import Store
from routing_rules import DomainNotServed, Facts, Rulebook, UnknownNode, decide
from routing_rules.canonical_text import rulebook_from_canonical


def explain_transaction(data: Path, transaction_id: str, why_not: str | None, *, json: bool) -> None:
    """Print it. A Failure if it is not there, was not routed, or cannot be decided again as it was."""

    async def ask(store: Store) -> dict[str, Any]:
        record = await store.reads.transaction(transaction_id, Visible())
        if record is None:
            raise Failure(f"there is no transaction {transaction_id}")
        number = (await store.reads.rules_state()).activation_number
        activation = await store.reads.activation(number)
        if activation is None:
            raise Failure(f"no rulebook was ever in force on {data}: start its gateway once")
        book = rulebook_from_canonical(activation.rules, activation.governance)
        return await PastDecisions(store.reads).explain(
            record, Visible(), lambda facts: _now(book, number, facts), why_not
        )

    told = reading(data, ask)
    if json:
        print_json(told)
    else:
        _print(told)
    if told["reproduced"] is False:
        raise Failure(f"the stored decision of {transaction_id} is not what its facts and rules give")


def _now(book: Rulebook, number: int, facts: Facts) -> Mapping[str, Any]:
    try:
        told: dict[str, Any] = wire_members(decide(book, facts).explanation.as_json())
    except DomainNotServed as error:
        raise Problem("domain-not-served", str(error)) from error
    except UnknownNode as error:
        raise Problem("unknown-node", str(error)) from error
    return told | {"activationNumber": number}


def _print(told: Mapping[str, Any]) -> None:
    stored = told["stored"]
    print_line(f"decided {told['decidedAt']}: {stored['explanation']}")
    row = f"row {stored['row']}" if stored["row"] else "no row"
    print_line(f"  {stored['systemId']}, stage {stored['stage']}, {row}, activation {stored['activationNumber']}")
    governing = told["governingTransactionId"]
    if governing not in {None, told["transactionId"]}:
        print_line(f"  it follows {governing}, whose decision is explained")
    then, now = told["asOfThen"], told["asOfNow"]
    if then is not None:
        same = "the same as stored" if told["reproduced"] else "NOT what is stored"
        print_line(f"as of then, decided again: {same}: {then['effect']}")
        for one in then["matched"]:
            decides = "decides" if one["decides"] else f"overruled by {', '.join(one['exceptions'])}"
            print_line(f"  {one['row']} ({place_of(one)}): {decides}. {one['note']}")
        miss = then["whyNot"]
        print_line(f"  why not another: {miss['effect'] if miss else 'no row was found that would decide instead'}")
    if now is not None:
        differs = "differently" if told["wouldDiffer"] else "the same"
        print_line(f"as of now, activation {now['activationNumber']}: {differs}: {now['effect']}")
    if told["remark"]:
        print_line(f"remark: {told['remark']}")
