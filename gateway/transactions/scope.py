"""What a caller may submit and touch, and nodes that a document names without routing looking at them."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.canonical import CanonicalDocument, Customer, DocumentHead, JournalEntry
from gateway.domain.caller import DataScope
from gateway.domain.records import DocumentRecord, TransactionRecord
from gateway.errors import FieldError, Problem
from routing_rules import Rulebook


def nodes_of(document: CanonicalDocument, rulebook: Rulebook) -> tuple[str, str]:
    """Business unit and geography; what the document does not have is the tree's root."""
    geography = document.geography if isinstance(document, Customer | DocumentHead) else None
    return document.business_unit or rulebook.business_units.root, geography or rulebook.geographies.root


def refuse_out_of_scope(document: CanonicalDocument, scope: DataScope, rulebook: Rulebook) -> None:
    """Raise Problem `out-of-scope` unless the caller may submit for all units and the geography that it names."""
    unit, geography = nodes_of(document, rulebook)
    units = scope.business_units
    outside = [
        (field, node)
        for field, node in (("businessUnit", unit), *_units_of_lines(document))
        if units is not None and node not in units
    ]
    if scope.geographies is not None and geography not in scope.geographies:
        outside.append(("geography", geography))
    if outside:
        field, node = outside[0]
        raise Problem(
            "out-of-scope",
            f"your token does not cover {field} {node}",
            remedy="ask for a token whose data scope covers it",
            errors=tuple(FieldError(field, f"{node} is outside your data scope") for field, node in outside),
        )


def is_visible(record: DocumentRecord | TransactionRecord, scope: DataScope | None) -> bool:
    """Whether the document or transaction lies inside the scope; None is unrestricted."""
    if scope is None:
        return True
    return (scope.business_units is None or record.business_unit in scope.business_units) and (
        scope.geographies is None or record.geography in scope.geographies
    )


def refuse_unknown_nodes(document: CanonicalDocument, rulebook: Rulebook) -> None:
    """Raise Problem `unknown-node` for company codes, and business units of lines, that the rulebook does not have.

    The units and the geography of the document itself are routing's to judge.
    """
    codes, units = rulebook.company_codes, rulebook.business_units
    wrong = [
        FieldError(field, f"{code} is not in the rulebook", f"use one of {', '.join(codes)}")
        for field, code in _company_codes(document)
        if codes and code not in codes
    ]
    wrong += [
        FieldError(field, f"{unit} is not in the rulebook", "use an id of the rulebook's trees")
        for field, unit in _units_of_lines(document)
        if unit not in units
    ]
    if wrong:
        raise Problem(
            "unknown-node",
            f"{wrong[0].field} {wrong[0].message}",
            remedy="use what the rulebook has",
            errors=tuple(wrong),
        )


def _company_codes(document: CanonicalDocument) -> Iterator[tuple[str, str]]:
    if document.company_code is not None:
        yield "companyCode", document.company_code
    # lines of any other document cannot differ from their head
    if isinstance(document, JournalEntry):
        for index, line in enumerate(document.lines):
            if line.company_code is not None:
                yield f"lines[{index}].companyCode", line.company_code


def _units_of_lines(document: CanonicalDocument) -> Iterator[tuple[str, str]]:
    if isinstance(document, JournalEntry):
        for index, line in enumerate(document.lines):
            if line.business_unit is not None:
                yield f"lines[{index}].businessUnit", line.business_unit
