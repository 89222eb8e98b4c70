"""A stored version back to a rulebook: its canonical texts become the files that they were read from.

So one parser judges what may be in force, whether it comes from a directory, a draft or the database. What belongs to
no version (examples, comments, the rulebook's name) is not in the texts and does not come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from routing_rules.complaints import ComplaintBook, RulebookInvalid
from routing_rules.csv_records import write_records
from routing_rules.loader import parse_rulebook
from routing_rules.rulebook import GOVERNANCE_FORMAT, RULES_FORMAT, Rulebook
from routing_rules.rulebook_files import RULEBOOK_FILE
from routing_rules.table_reader import COLUMNS

RULES_TEXT: Final = "the stored rules"
GOVERNANCE_TEXT: Final = "the stored governance"
_NAME: Final = "stored"
_ESCAPED: Final = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}


def rulebook_from_canonical(rules_json: bytes | str, governance_json: bytes | str, *, name: str = _NAME) -> Rulebook:
    """The rulebook whose `canonical_json` and `governance_json` these are; its versions are theirs.

    Raises RulebookInvalid: the texts are none of this format, or this program version reads them otherwise.
    """
    rulebook = _without_lines(parse_rulebook(canonical_files(rules_json, governance_json, name=name)))
    for what, text, again in (
        (RULES_TEXT, rules_json, rulebook.canonical_json()),
        (GOVERNANCE_TEXT, governance_json, rulebook.governance_json()),
    ):
        if again != (text.encode() if isinstance(text, str) else text):
            raise _refused(what, "read and written again they are other bytes", "use the program that wrote them")
    return rulebook


def canonical_files(
    rules_json: bytes | str, governance_json: bytes | str, *, name: str = _NAME, readable: bool = False
) -> dict[str, bytes | None]:
    """The files of a rulebook with these texts, as `parse_rulebook` takes them; `readable`: rulebook.yaml as people
    write it, not in one line. Raises RulebookInvalid."""
    rules = _members(RULES_TEXT, rules_json, RULES_FORMAT)
    governance = _members(GOVERNANCE_TEXT, governance_json, GOVERNANCE_FORMAT)
    try:
        tables = {str(table["domain"]): table for table in rules["tables"]}
        # JSON is YAML, so the one reader of rulebook.yaml takes it
        book = {
            "rulebook": name,
            "business_units": _tree(rules["business_units"]),
            "geographies": _tree(rules["geographies"]),
            "systems": rules["systems"],
            "share_by": {domain: table["share_by"] for domain, table in tables.items()},
            "cutover_dates": _cutover_dates(tables),
            **_governance(governance),
        }
        files: dict[str, bytes | None] = {RULEBOOK_FILE: _block(book) if readable else _yaml(book)}
        for domain, table in tables.items():
            files[f"{domain}.csv"] = _csv(table["rows"])
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(RULES_TEXT, f"they lack what their format has: {error!r}", "use the texts as stored") from error
    return files


def _members(what: str, text: bytes | str, expected: str) -> Mapping[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(what, f"they are no JSON: {error}", "use the texts as stored") from error
    if not isinstance(members, dict) or members.get("format") != expected:
        raise _refused(what, f"they are not of the format {expected}", "use the program that wrote them")
    return members


def _yaml(book: Mapping[str, Any]) -> bytes:
    """JSON is YAML, so the one reader of rulebook.yaml takes it; but YAML takes more characters for line breaks or
    for unprintable, and those are escaped. (YAML 1.2.2, sections 5.1 and 5.4; PyYAML reads 1.1.)"""
    return json.dumps(book, ensure_ascii=False).translate(_ESCAPED).encode()


def _block(book: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(book, sort_keys=False, allow_unicode=True, width=120).encode()


def _without_lines(rulebook: Rulebook) -> Rulebook:
    """The lines of these files are nobody's: where a row stands is known of the files that people keep."""
    tables = {
        domain: replace(table, rows=tuple(replace(row, line=0) for row in table.rows))
        for domain, table in rulebook.tables.items()
    }
    return replace(rulebook, tables=tables)


def _tree(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    # a node without a name was written without one; the limit of rulebook.yaml counts what stands in it
    made: dict[str, dict[str, Any]] = {
        node["id"]: {"id": node["id"]} | ({"name": node["name"]} if node["name"] else {}) for node in nodes
    }
    root: dict[str, Any] = {}
    for node in nodes:
        if node["parent"] is None:
            root = made[node["id"]]
        else:
            made[node["parent"]].setdefault("children", []).append(made[node["id"]])
    return root


def _governance(governance: Mapping[str, Any]) -> dict[str, Any]:
    """As sections of rulebook.yaml; an absent member of a company code is left out, as it was."""
    sections = {key: value for key, value in governance.items() if key != "format"}
    sections["company_codes"] = [
        {key: value for key, value in one.items() if value is not None} for one in governance["company_codes"]
    ]
    return sections


def _cutover_dates(tables: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """By domain and row id; they are members of the rows in the texts, for they decide."""
    found = {
        domain: {row["row"]: row["cutover_date"] for row in table["rows"] if "cutover_date" in row}
        for domain, table in tables.items()
    }
    return {domain: dates for domain, dates in found.items() if dates}


def row_texts(row: Mapping[str, Any]) -> dict[str, str]:
    """The cells of a row as `row_members` has it, by column."""
    cells = {**row, "allow": "|".join(row["allow"])}
    return {column: "" if cells[column] is None else str(cells[column]) for column in COLUMNS}


def _csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return write_records([COLUMNS, *(list(row_texts(row).values()) for row in rows)]).encode()


def _refused(what: str, message: str, remedy: str) -> RulebookInvalid:
    complaints = ComplaintBook()
    complaints.add(what, 1, 1, message, remedy)
    return RulebookInvalid(complaints.all())
