"""What changes between two versions beside the tables: what they stand on, and what a change must satisfy.

Some of it decides too (`late`, `calendars`, `company_codes`, `policies`: what becomes of a posting date; `systems`:
what may be sent where), and is in no row, so no box of facts would tell it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing_rules.rulebook import Rulebook

_TREES: Final = ("business_units", "geographies")


@dataclass(frozen=True, slots=True)
class GroundChange:
    """One entry of a section of rulebook.yaml. `before`, `after`: JSON; empty where it is not there."""

    section: str
    entry: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.section} {self.entry}: {self.before or '-'} -> {self.after or '-'}"

    def as_json(self) -> dict[str, str]:
        return {"section": self.section, "entry": self.entry, "before": self.before, "after": self.after}


def ground_differences(before: Rulebook, after: Rulebook) -> Iterator[GroundChange]:
    """By section and entry, in their order."""
    old, new = _sections(before), _sections(after)
    for section in sorted(old.keys() | new.keys()):
        was, becomes = old.get(section, {}), new.get(section, {})
        for entry in sorted(was.keys() | becomes.keys()):
            if was.get(entry, "") != becomes.get(entry, ""):
                yield GroundChange(section, entry, was.get(entry, ""), becomes.get(entry, ""))


def _sections(rulebook: Rulebook) -> dict[str, dict[str, str]]:
    governance: dict[str, Any] = json.loads(rulebook.governance_json())
    ground: dict[str, Any] = json.loads(rulebook.canonical_json())
    del governance["format"]
    sections = governance | {name: ground[name] for name in (*_TREES, "systems")}
    sections["share_by"] = {table["domain"]: table["share_by"] for table in ground["tables"]}
    return {name: _entries(section) for name, section in sections.items()}


def _entries(section: Any) -> dict[str, str]:
    """By name; a list's entries by their id, and those that have none by what they apply to."""
    if isinstance(section, Mapping):
        return {str(name): _text(value) for name, value in section.items()}
    found: dict[str, str] = {}
    for one in section:
        name = str(
            one.get("id") or ".".join(str(one[part]) for part in ("domain", "business_unit", "geography", "kind"))
        )
        found[name] = _text({key: value for key, value in one.items() if key != "id"})
    return found


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
