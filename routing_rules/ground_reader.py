"""rulebook.yaml, the part that tables stand on: trees and systems."""

from __future__ import annotations

from typing import Final

import yaml

from routing_rules.cells import NODE_ID, RESERVED_NODE_IDS, suggestion
from routing_rules.dimensions import Tree
from routing_rules.model import DOMAINS, Budget, Side, System
from routing_rules.yaml_nodes import YamlFile

MAX_TREE_NODES: Final = 10_000
MAX_TREE_DEPTH: Final = 8
MAX_SYSTEMS: Final = 64
RESERVED_SYSTEM_IDS: Final = frozenset({"gateway"})
"""The gateway itself, as the home of contracts that no ERP takes."""

_SYSTEM_FIELDS: Final = (
    "id",
    "name",
    "side",
    "driver",
    "regions",
    "domains",
    "budget",
    "longest_execution_s",
    "inquiry_delay_s",
    "enforces_unique_reference",
)


def read_tree(doc: YamlFile, node: yaml.Node, name: str) -> Tree | None:
    """A tree of {id, name, children}. None if not even its root can be named."""
    parents: dict[str, str | None] = {}
    labels: dict[str, str] = {}
    pending: list[tuple[yaml.Node, str | None, int]] = [(node, None, 1)]
    while pending:
        one, parent, depth = pending.pop()
        fields = doc.fields(one, f"the {name} node", ("id",), ("name", "children"))
        node_id = read_id(doc, fields.get("id"), f"{name} node id")
        label = doc.text(fields.get("name"), "the name")
        if node_id is None:
            if parent is None:
                return None
            # Its children are read all the same, for their own faults; they hang on the parent.
            node_id = parent
        elif _is_above(node_id, parent, parents):
            doc.complain(fields["id"], f"the {name} node '{node_id}' lies below itself", "A tree has no circle")
        elif node_id in parents:
            doc.complain(fields["id"], f"the {name} node '{node_id}' stands twice", "Give it an id of its own")
        elif node_id in RESERVED_NODE_IDS:
            doc.complain(fields["id"], f"'{node_id}' is a reserved word", "Give the node another id")
        elif len(parents) >= MAX_TREE_NODES:
            doc.complain(one, f"the tree has more than {MAX_TREE_NODES} nodes", "Leave some out")
            break
        else:
            parents[node_id] = parent
            labels[node_id] = label or ""
        if "children" in fields:
            if depth >= MAX_TREE_DEPTH:
                doc.complain(fields["children"], f"the tree is deeper than {MAX_TREE_DEPTH}", "Make it flatter")
                continue
            children = doc.items(fields["children"], "children")
            above = node_id if node_id in parents else parent
            pending.extend((child, above, depth + 1) for child in reversed(children))
    root = next((node_id for node_id, parent in parents.items() if parent is None), None)
    return None if root is None else Tree(name, root, parents, labels)


def _is_above(node: str, below: str | None, parents: dict[str, str | None]) -> bool:
    while below is not None and below != node:
        below = parents[below]
    return below == node


def read_systems(doc: YamlFile, node: yaml.Node, geographies: Tree | None) -> dict[str, System | None]:
    """The systems by id; None stands for one that is declared and has faults."""
    found: dict[str, System | None] = {}
    for one in doc.items(node, "systems"):
        if len(found) >= MAX_SYSTEMS:
            doc.complain(one, f"there are more than {MAX_SYSTEMS} systems", "Leave some out")
            break
        fields = doc.fields(one, "the system", [name for name in _SYSTEM_FIELDS if name != "name"], ["name"])
        system_id = read_id(doc, fields.get("id"), "system id")
        system = _system(doc, fields, system_id or "", geographies)
        if system_id is None:
            continue
        if system_id in RESERVED_SYSTEM_IDS:
            doc.complain(fields["id"], f"'{system_id}' is a reserved word", "Give the system another id")
            continue
        if system_id in found:
            doc.complain(fields["id"], f"the system '{system_id}' stands twice", "Give it an id of its own")
            continue
        found[system_id] = system
    return found


def _system(doc: YamlFile, fields: dict[str, yaml.Node], system_id: str, places: Tree | None) -> System | None:
    before = len(doc.complaints)
    name = doc.text(fields.get("name"), "the name") or ""
    side = read_word(doc, fields.get("side"), "side", tuple(Side))
    driver = read_id(doc, fields.get("driver"), "driver")
    regions = read_words(doc, fields.get("regions"), "geography node", None if places is None else places.parents)
    domains = read_words(doc, fields.get("domains"), "domain", DOMAINS)
    budget = _budget(doc, fields["budget"]) if "budget" in fields else None
    longest = doc.integer(fields.get("longest_execution_s"), "longest_execution_s", 1, 86_400)
    delay = doc.integer(fields.get("inquiry_delay_s"), "inquiry_delay_s", 0, 3_600)
    unique = doc.boolean(fields.get("enforces_unique_reference"), "enforces_unique_reference")
    if len(doc.complaints) > before or side is None or driver is None or budget is None:
        return None
    if longest is None or delay is None or unique is None:
        return None
    return System(
        id=system_id,
        name=name,
        side=Side(side),
        driver=driver,
        regions=regions,
        domains=domains,
        budget=budget,
        longest_execution_s=longest,
        inquiry_delay_s=delay,
        enforces_unique_reference=unique,
    )


def _budget(doc: YamlFile, node: yaml.Node) -> Budget | None:
    fields = doc.fields(node, "the budget", ("concurrent", "calls_per_minute"))
    concurrent = doc.integer(fields.get("concurrent"), "concurrent", 1, 10_000)
    calls = doc.integer(fields.get("calls_per_minute"), "calls_per_minute", 1, 10_000_000)
    return None if concurrent is None or calls is None else Budget(concurrent, calls)


def read_id(doc: YamlFile, node: yaml.Node | None, what: str) -> str | None:
    """An id of 1 to 32 letters, digits, - and _: ids become tokens of event subjects."""
    text = doc.text(node, f"the {what}")
    if text is None or node is None:
        return None
    if NODE_ID.fullmatch(text):
        return text
    doc.complain(node, f"'{text[:40]}' is no {what}", "Use letters, digits, - and _, at most 32")
    return None


def read_word(doc: YamlFile, node: yaml.Node | None, what: str, known: tuple[str, ...]) -> str | None:
    """One of the known words."""
    text = doc.text(node, f"the {what}")
    if text is None or node is None or text in known:
        return text
    doc.complain(node, f"unknown {what} '{text[:40]}'", suggestion(text[:40], known))
    return None


def read_words(
    doc: YamlFile, node: yaml.Node | None, what: str, known: tuple[str, ...] | dict[str, str | None] | None
) -> tuple[str, ...]:
    """A list of known words, each once, sorted. ``known`` of None: the words are not judged."""
    if node is None:
        return ()
    found: set[str] = set()
    for one in doc.items(node, f"the list of each {what}"):
        text = doc.text(one, f"the {what}")
        if text is None:
            continue
        if known is not None and text not in known:
            doc.complain(one, f"unknown {what} '{text[:40]}'", suggestion(text[:40], known))
        elif text in found:
            doc.complain(one, f"'{text[:40]}' stands twice in the list", "Write it once")
        found.add(text)
    return tuple(sorted(found))
