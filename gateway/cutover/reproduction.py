"""Whether the text of rules decides as an entry `routed` says: for who holds both and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from gateway.cutover.traffic import facts_of_entry
from gateway.ledger.evidence.ruled import Reproduced
from routing_rules import Decision, DomainNotServed, Rulebook, RulebookInvalid, UnknownNode, decide
from routing_rules.canonical_text import rulebook_from_canonical


class Reproduction:
    """Decides again. Rulebooks are read once."""

    def __init__(self) -> None:
        self._books: dict[bytes, Rulebook] = {}

    def __call__(self, rules: bytes, governance: bytes, body: Mapping[str, Any]) -> Reproduced:
        """`body`: of an entry `routed` that follows no pin."""
        facts, undetermined = facts_of_entry(body)
        if undetermined:
            return Reproduced(None, f"not recorded: {', '.join(undetermined)}")
        try:
            answer = decide(self._book(rules, governance), facts)
        except (RulebookInvalid, DomainNotServed, UnknownNode) as error:
            return Reproduced(False, f"the rules cannot decide it: {error}")
        rule = body.get("rule") or {}
        said = (body.get("ruledSystemId") or body.get("systemId"), body.get("stage"), rule.get("row"),
                rule.get("tableVersion"))  # fmt: skip
        if not isinstance(answer, Decision):
            return Reproduced(False, "the rules give no decision for its facts")
        again = (answer.system_id, answer.stage.value, answer.row_id, answer.table_version)
        if again != said:
            return Reproduced(False, f"it says {said}, and the rules decide {again}")
        return Reproduced(True, "")

    def _book(self, rules: bytes, governance: bytes) -> Rulebook:
        name = sha256(rules + governance).digest()
        if name not in self._books:
            self._books[name] = rulebook_from_canonical(rules, governance)
        return self._books[name]
