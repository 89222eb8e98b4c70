"""Worked examples: facts and what they must give, written beside the tables and run by whoever changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from routing_rules.answers import Conflict, Decision, Gap
from routing_rules.decide import decide
from routing_rules.facts import Facts
from routing_rules.index import UnknownNode
from routing_rules.rulebook import DomainNotServed, Example, Rulebook


@dataclass(frozen=True, slots=True)
class ExampleFailure:
    """An example that does not come true: what it expected, and what was found instead."""

    example: Example
    found: Mapping[str, str]

    def __str__(self) -> str:
        one = self.example
        wanted = ", ".join(f"{key} {value}" for key, value in one.expect.items())
        found = ", ".join(f"{key} {value}" for key, value in self.found.items())
        return f"{one.file}:{one.line}: example '{one.name}' expects {wanted}, found {found}"


def run_examples(rulebook: Rulebook) -> tuple[ExampleFailure, ...]:
    """Decide every example; the failures."""
    failures: list[ExampleFailure] = []
    for example in rulebook.examples:
        found = _outcome(decide_example(rulebook, example))
        if any(found.get(key, "") != value for key, value in example.expect.items()):
            failures.append(ExampleFailure(example, found))
    return tuple(failures)


def decide_example(rulebook: Rulebook, example: Example) -> Decision | Gap | Conflict | str:
    """What an example's facts give; a text says why they cannot be decided at all."""
    try:
        return decide(rulebook, _facts(example.facts))
    except (DomainNotServed, UnknownNode, ValueError, InvalidOperation) as error:
        return f"error: {error}"


def _outcome(answer: Decision | Gap | Conflict | str) -> dict[str, str]:
    if isinstance(answer, str):
        return {"result": answer}
    if not isinstance(answer, Decision):
        return {"result": type(answer).__name__.lower()}
    return {
        "result": "decision",
        "system": answer.system_id,
        "side": answer.side.value,
        "stage": answer.stage.value,
        "row": answer.row_id,
        "overlay": answer.overlay.value if answer.overlay else "",
    }


def _facts(texts: Mapping[str, str]) -> Facts:
    values: dict[str, object] = dict(texts)
    if "amount" in texts:
        values["amount"] = Decimal(texts["amount"])
    if "posting_date" in texts:
        values["posting_date"] = date.fromisoformat(texts["posting_date"])
    return Facts(**values)  # type: ignore[arg-type]  # keys were checked by the loader, values are texts
