"""A directory of files to a Rulebook, or to every complaint about them at once.

The directory holds ``rulebook.yaml`` (trees, systems, governance, examples) and one ``<domain>.csv`` per domain. Other
files are left alone, except a CSV that no domain is named for. Nothing else of the outside world is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from routing_rules.cells import suggestion
from routing_rules.complaints import ComplaintBook, RulebookInvalid
from routing_rules.governance_reader import read_examples, read_governance, read_share_by
from routing_rules.ground_reader import read_id, read_systems, read_tree
from routing_rules.model import DOMAINS, RuleTable
from routing_rules.rulebook import Rulebook
from routing_rules.table_reader import Ground, read_rows
from routing_rules.yaml_nodes import YamlFile

RULEBOOK_FILE: Final = "rulebook.yaml"
MAX_CSV_BYTES: Final = 32 * 1024 * 1024
MAX_YAML_BYTES: Final = 2 * 1024 * 1024

_REQUIRED: Final = ("rulebook", "business_units", "geographies", "systems")
_OPTIONAL: Final = (
    "company_codes",
    "owners",
    "share_by",
    "calendars",
    "required_checks",
    "thresholds",
    "policies",
    "late",
    "examples",
)


def load_rulebook(directory: Path) -> Rulebook:
    """Read the rulebook in a directory. Raises RulebookInvalid with every complaint, also for files it cannot read."""
    complaints = ComplaintBook()
    files: dict[str, bytes] = {}
    try:
        paths = sorted(path for path in directory.iterdir() if path.name == RULEBOOK_FILE or _is_csv(path.name))
    except OSError as error:
        complaints.add(str(directory), 1, 1, f"the directory cannot be read: {error.strerror}", "Name another")
        raise RulebookInvalid(complaints.all()) from error
    for path in paths:
        limit = _limit(path.name)
        try:
            with path.open("rb") as stream:
                files[path.name] = stream.read(limit + 1)  # one more than the limit shows that it is exceeded
        except OSError as error:
            complaints.add(path.name, 1, 1, f"the file cannot be read: {error.strerror}", "Make it readable")
            files[path.name] = b""
    return _parse(files, complaints)


def parse_rulebook(files: Mapping[str, bytes]) -> Rulebook:
    """The same from file names and contents, as drafts and stored versions are kept. Raises RulebookInvalid."""
    return _parse(files, ComplaintBook())


def _parse(files: Mapping[str, bytes], complaints: ComplaintBook) -> Rulebook:
    unreadable = {one.file for one in complaints.all()}
    texts = {
        name: None if name in unreadable else _text(name, content, complaints)
        for name, content in sorted(files.items())
    }
    doc = YamlFile(RULEBOOK_FILE, complaints)
    sections: dict[str, yaml.Node] = {}
    yaml_text = texts.get(RULEBOOK_FILE)
    if RULEBOOK_FILE not in texts:
        complaints.add(RULEBOOK_FILE, 1, 1, "the file is missing", "Write trees and systems into it")
    elif yaml_text is not None:
        node = doc.compose(yaml_text)
        sections = {} if node is None else doc.fields(node, "the rulebook", _REQUIRED, _OPTIONAL)

    name = read_id(doc, sections.get("rulebook"), "rulebook name")
    units = read_tree(doc, sections["business_units"], "business_unit") if "business_units" in sections else None
    places = read_tree(doc, sections["geographies"], "geography") if "geographies" in sections else None
    systems = read_systems(doc, sections["systems"], places) if "systems" in sections else None
    governance = read_governance(doc, sections, units, places)
    share_by = read_share_by(doc, sections.get("share_by"))
    examples = read_examples(doc, sections.get("examples"))

    company_codes = frozenset(governance.company_codes) if "company_codes" in sections else frozenset[str]()
    ground = Ground(units, places, systems, company_codes if sections else None)
    tables: dict[str, RuleTable] = {}
    for file, text in texts.items():
        if file == RULEBOOK_FILE:
            continue
        domain = file.removesuffix(".csv")
        if domain not in DOMAINS:
            complaints.add(file, 1, 1, f"no domain is named '{domain}'", suggestion(domain, DOMAINS))
        elif text is not None:
            rows = read_rows(file, text, domain, ground, complaints)
            rows.sort(key=lambda row: row.id)
            tables[domain] = RuleTable(domain, tuple(rows), share_by.get(domain, "customer"))
    if not any(_is_csv(file) for file in texts):
        complaints.add(RULEBOOK_FILE, 1, 1, "there is no rule table", "Write one CSV per domain beside it")
    if complaints or name is None or units is None or places is None or systems is None:
        raise RulebookInvalid(complaints.all())
    return Rulebook(
        name=name,
        tables=tables,
        business_units=units,
        geographies=places,
        systems={system_id: system for system_id, system in systems.items() if system is not None},
        governance=governance,
        examples=examples,
    )


def _is_csv(name: str) -> bool:
    return name.casefold().endswith(".csv")


def _limit(name: str) -> int:
    return MAX_YAML_BYTES if name == RULEBOOK_FILE else MAX_CSV_BYTES


def _text(name: str, content: bytes, complaints: ComplaintBook) -> str | None:
    """The file's text without byte order mark; None if it is too large or no UTF-8."""
    limit = _limit(name)
    if len(content) > limit:
        complaints.add(name, 1, 1, f"the file is larger than {limit // 1024} KiB", "Make it smaller")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The codec with BOM counts from behind it.
        body = content.removeprefix(b"\xef\xbb\xbf")
        good = body[: error.start].decode("utf-8", errors="replace")
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        byte = f"0x{body[error.start]:02X}"
        complaints.add(name, line, column, f"the byte {byte} is no UTF-8", "Save the file as UTF-8")
        return None
