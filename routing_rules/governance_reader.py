"""rulebook.yaml, the part that governs changes: owners, company codes, calendars, checks, policies; and examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

from routing_rules import cells
from routing_rules.calendar_reader import Path, read_calendar
from routing_rules.dimensions import NodeSet, Tree
from routing_rules.ground_reader import read_id, read_word
from routing_rules.model import DOMAINS, ShareBy
from routing_rules.rulebook import CompanyCode, Example, Governance, LatePolicy
from routing_rules.yaml_nodes import YamlFile

LATE_KINDS: Final = ("credit", "payment", "chargeback", "reversal")
LATE_POLICIES: Final = ("cloud", "hold", "refuse")
MAX_COMPANY_CODES: Final = 1_000
MAX_EXAMPLES: Final = 1_000
MAX_OWNERS: Final = 32

EXAMPLE_FACTS: Final = (
    "domain",
    "operation",
    "business_unit",
    "geography",
    "company_code",
    "document_type",
    "customer_segment",
    "amount",
    "currency",
    "posting_date",
    "share_key",
    "root_external_id",
)
EXAMPLE_EXPECTS: Final = ("result", "system", "side", "stage", "row", "overlay")


def read_governance(
    doc: YamlFile, sections: Mapping[str, yaml.Node], units: Tree | None, places: Tree | None
) -> Governance:
    """The sections that are there; faults become complaints."""
    calendars = _calendars(doc, sections.get("calendars"))
    known = {str(one["id"]) for one in calendars if "id" in one}
    return Governance(
        owners=_owners(doc, sections.get("owners")),
        company_codes=_company_codes(doc, sections.get("company_codes"), known),
        calendars=calendars,
        required_checks=_records(doc, sections.get("required_checks"), "required_checks"),
        thresholds=_mapping(doc, sections.get("thresholds"), "thresholds"),
        policies=_mapping(doc, sections.get("policies"), "policies"),
        late=_late(doc, sections.get("late"), units, places),
    )


def read_share_by(doc: YamlFile, node: yaml.Node | None) -> dict[str, ShareBy]:
    """By domain; a domain that is not named splits by customer."""
    found: dict[str, ShareBy] = {}
    for domain, value in _by_domain(doc, node, "share_by").items():
        word = read_word(doc, value, "share_by", ("customer", "document"))
        if word == "document":
            found[domain] = "document"
        elif word == "customer":
            found[domain] = "customer"
    return found


def read_examples(doc: YamlFile, node: yaml.Node | None) -> tuple[Example, ...]:
    """The worked examples; whether they come true is asked by run_examples."""
    if node is None:
        return ()
    found: list[Example] = []
    for one in doc.items(node, "examples"):
        if len(found) >= MAX_EXAMPLES:
            doc.complain(one, f"there are more than {MAX_EXAMPLES} examples", "Leave some out")
            break
        fields = doc.fields(one, "the example", ("name", "facts", "expect"))
        name = doc.text(fields.get("name"), "the name") or ""
        facts = _texts(doc, fields.get("facts"), "facts", ("domain", "operation"), EXAMPLE_FACTS[2:])
        expect = _texts(doc, fields.get("expect"), "expect", (), EXAMPLE_EXPECTS)
        if "expect" in fields and not expect:
            doc.complain(fields["expect"], "the example expects nothing", f"Name {', '.join(EXAMPLE_EXPECTS)}")
        found.append(Example(name, facts, expect, doc.file, doc.line(one)))
    return tuple(found)


def _texts(
    doc: YamlFile, node: yaml.Node | None, what: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, str]:
    if node is None:
        return {}
    found = ((key, doc.text(value, key)) for key, value in doc.fields(node, what, required, optional).items())
    return {key: text for key, text in found if text is not None}


def _by_domain(doc: YamlFile, node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
    if node is None:
        return {}
    return doc.fields(node, what, (), DOMAINS)


def _owners(doc: YamlFile, node: yaml.Node | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for domain, value in _by_domain(doc, node, "owners").items():
        entries = doc.items(value, "owners")
        if not 1 <= len(entries) <= MAX_OWNERS:
            doc.complain(value, f"{domain} has {len(entries)} owners", f"Name 1 to {MAX_OWNERS}")
        names = [text for one in entries if (text := doc.text(one, "the owner"))]
        found[domain] = tuple(sorted(set(names)))
    return found


def _company_codes(doc: YamlFile, node: yaml.Node | None, calendars: set[str]) -> dict[str, CompanyCode]:
    found: dict[str, CompanyCode] = {}
    for one in [] if node is None else doc.items(node, "company_codes"):
        if len(found) >= MAX_COMPANY_CODES:
            doc.complain(one, f"there are more than {MAX_COMPANY_CODES} company codes", "Leave some out")
            break
        fields = doc.fields(one, "the company code", ("id",), ("name", "currency", "calendar"))
        code = read_id(doc, fields.get("id"), "company code")
        name = doc.text(fields.get("name"), "the name") or ""
        currency = doc.text(fields.get("currency"), "the currency")
        if currency is not None and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            doc.complain(fields["currency"], f"'{currency[:40]}' is no currency", "Write three capital letters")
        calendar = doc.text(fields.get("calendar"), "the calendar")
        if calendar is not None and calendar not in calendars:
            remedy = cells.suggestion(calendar[:40], calendars)
            doc.complain(fields["calendar"], f"unknown calendar '{calendar[:40]}'", remedy)
        if code in found:
            doc.complain(fields["id"], f"the company code '{code}' stands twice", "Keep one of them")
        elif code is not None:
            found[code] = CompanyCode(code, name, currency, calendar)
    return found


def _records(doc: YamlFile, node: yaml.Node | None, what: str) -> tuple[Mapping[str, Any], ...]:
    """A list of mappings, each with an id of its own, otherwise kept as data."""
    found: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    for one in [] if node is None else doc.items(node, what):
        fields = doc.mapping(one, f"the entry of {what}")
        if fields is None:
            continue
        if "id" not in fields:
            doc.complain(one, f"the entry of {what} lacks 'id'", "Add it")
            continue
        record_id = read_id(doc, fields["id"], "id")
        if record_id in seen:
            doc.complain(fields["id"], f"the id '{record_id}' stands twice", "Give it an id of its own")
        if record_id is None:
            continue
        seen.add(record_id)
        data = {key: doc.data(value) for key, value in fields.items() if key != "id"}
        found.append({"id": record_id, **data})
    return tuple(found)


def _calendars(doc: YamlFile, node: yaml.Node | None) -> tuple[Mapping[str, Any], ...]:
    """Kept as data; what is no calendar is complained about at its place."""
    calendars = _records(doc, node, "calendars")
    nodes = {} if node is None else {_id_of(one): one for one in getattr(node, "value", ())}
    for data in calendars:
        for fault in read_calendar(data)[1]:
            doc.complain(_inside(nodes[data["id"]], fault.path), fault.message, fault.remedy)
    return calendars


def _id_of(node: yaml.Node) -> str | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == "id"), None)


def _inside(node: yaml.Node, path: Path) -> yaml.Node:
    """The node at the end of the path, or the last one on the way there."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node


def _mapping(doc: YamlFile, node: yaml.Node | None, what: str) -> dict[str, Any]:
    fields = None if node is None else doc.mapping(node, what)
    return {key: doc.data(value) for key, value in (fields or {}).items()}


def _late(doc: YamlFile, node: yaml.Node | None, units: Tree | None, places: Tree | None) -> tuple[LatePolicy, ...]:
    found: list[LatePolicy] = []
    for one in [] if node is None else doc.items(node, "late"):
        fields = doc.fields(one, "the late policy", ("domain", "kind", "policy"), ("business_unit", "geography"))
        domain = read_word(doc, fields.get("domain"), "domain", DOMAINS)
        kind = read_word(doc, fields.get("kind"), "kind", LATE_KINDS)
        policy = read_word(doc, fields.get("policy"), "policy", LATE_POLICIES)
        unit = _nodes(doc, fields.get("business_unit"), units)
        place = _nodes(doc, fields.get("geography"), places)
        if domain and kind and policy and unit and place:
            found.append(LatePolicy(domain, unit, place, kind, policy))
    return tuple(found)


def _nodes(doc: YamlFile, node: yaml.Node | None, tree: Tree | None) -> NodeSet | None:
    if tree is None:
        return None
    text = "" if node is None else doc.text(node, f"the {tree.name}")
    if text is None:
        return None
    try:
        return cells.parse_nodes(text.strip(), tree)
    except cells.CellInvalid as invalid:
        for message, remedy in invalid.faults:
            doc.complain(node or yaml.ScalarNode("", ""), message, remedy)
        return None
