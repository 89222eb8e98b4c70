"""A directory of files to a Rulebook, or to every complaint about them at once.

The directory holds ``rulebook.yaml`` (trees, systems, governance, examples) and one ``<domain>.csv`` per domain, or a
workbook with one sheet per domain. Other files are left alone, except a CSV that no domain is named for. Nothing else
of the outside world is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from routing_rules.clearing import clearing_faults
from routing_rules.complaints import ComplaintBook, RulebookInvalid
from routing_rules.cutover_dates import CutoverDates
from routing_rules.governance_reader import read_examples, read_governance, read_share_by
from routing_rules.ground_reader import read_id, read_systems, read_tree
from routing_rules.model import RuleTable
from routing_rules.rulebook import Rulebook
from routing_rules.rulebook_files import (
    RULEBOOK_FILE,
    Files,
    has_tables,
    read_files,
    rulebook_text,
    table_sources,
)
from routing_rules.table_reader import Ground, read_rows
from routing_rules.yaml_nodes import YamlFile

_REQUIRED: Final = ("rulebook", "business_units", "geographies", "systems")
_OPTIONAL: Final = (
    "company_codes",
    "owners",
    "share_by",
    "cutover_dates",
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
    return _parse(read_files(directory, complaints), complaints)


def parse_rulebook(files: Files) -> Rulebook:
    """The same from file names and contents, as drafts and stored versions are kept. Raises RulebookInvalid."""
    return _parse(files, ComplaintBook())


def _parse(files: Files, complaints: ComplaintBook) -> Rulebook:
    doc = YamlFile(RULEBOOK_FILE, complaints)
    sections: dict[str, yaml.Node] = {}
    text = rulebook_text(files, complaints)
    if text is not None:
        node = doc.compose(text)
        sections = {} if node is None else doc.fields(node, "the rulebook", _REQUIRED, _OPTIONAL)

    name = read_id(doc, sections.get("rulebook"), "rulebook name")
    units = read_tree(doc, sections["business_units"], "business_unit") if "business_units" in sections else None
    places = read_tree(doc, sections["geographies"], "geography") if "geographies" in sections else None
    systems = read_systems(doc, sections["systems"], places) if "systems" in sections else None
    governance = read_governance(doc, sections, units, places)
    if "clearing" in governance.policies:
        said = governance.policies["clearing"]
        for fault in clearing_faults(said, list(governance.company_codes), list(systems or {})):
            doc.complain(sections["policies"], fault, "See docs/clearing.md")
    share_by = read_share_by(doc, sections.get("share_by"))
    examples = read_examples(doc, sections.get("examples"))
    dates = CutoverDates.read(doc, sections.get("cutover_dates"))

    company_codes = frozenset(governance.company_codes) if "company_codes" in sections else frozenset[str]()
    ground = Ground(units, places, systems, company_codes if sections else None)
    tables: dict[str, RuleTable] = {}
    for domain, source in table_sources(files, complaints).items():
        rows = read_rows(source.file, source.records, domain, ground, complaints)
        rows.sort(key=lambda row: row.id)
        dated = dates.applied_to(domain, rows)
        tables[domain] = RuleTable(domain, dated, share_by.get(domain, "customer"))
    dates.complain_of_the_rest({domain: {row.id for row in table.rows} for domain, table in tables.items()})
    if not has_tables(files):
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
