"""What a change makes of a document: the merge patch over what it says now, read as strictly as a new document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from adapters.canonical import DOMAINS, MASTER_DOMAINS, CanonicalDocument
from gateway.domain.complaints import problem_of_validation
from gateway.domain.merge_patch import merge_patch
from gateway.errors import FieldError, Problem

FIXED: Final = frozenset(
    {
        "external_id",
        "business_unit",
        "geography",
        "company_code",
        "customer_segment",
        "document_type",
        "currency_code",
        "customer",
        "renewal_of",
    }
)
"""Who a document is and what decided where it belongs: with another value it is another document."""
MASTER_FIXED: Final = frozenset({"external_id", "business_unit", "geography", "company_code"})
"""The same of masters, whose segment is only a property."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """The document as it shall stand, its canonical body, and the members (wire names) that differ."""

    document: CanonicalDocument
    body: bytes
    changed: frozenset[str]


def amend(domain: str, base: bytes, patch: Mapping[str, Any]) -> Amendment:
    """Apply the patch to the canonical body `base`.

    Raises:
        Problem: `invalid-document` or `totals-disagree` naming the fields: the result is no document of the domain, a
            fixed member differs, or nothing does.
    """
    model = DOMAINS[domain]
    before = model.model_validate_json(base)
    text = json.dumps(merge_patch(json.loads(base), dict(patch)), ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        after = model.model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        raise problem_of_validation(error, model) from error
    names = _differing(before, after)
    _refuse_fixed(domain, names)
    if not names:
        raise Problem(
            "invalid-document",
            "the document says all of this already: there is nothing to change",
            remedy="read the document again; leave the request out if this is what it shall say",
        )
    return Amendment(after, after.model_dump_json(exclude_none=True).encode(), changed_members(before, after))


def changed_members(before: CanonicalDocument, after: CanonicalDocument) -> frozenset[str]:
    """The members (wire names) in which a document differs from what it said before."""
    return frozenset(_wire_name(before.domain, name) for name in _differing(before, after))


def _differing(before: CanonicalDocument, after: CanonicalDocument) -> set[str]:
    # compared as values, so that "10.0" for "10.00" is no change
    return {name for name in type(before).model_fields if getattr(before, name) != getattr(after, name)}


def _refuse_fixed(domain: str, names: set[str]) -> None:
    fixed = sorted(names & (MASTER_FIXED if domain in MASTER_DOMAINS else FIXED))
    if not fixed:
        return
    errors = tuple(
        FieldError(
            _wire_name(domain, name),
            "cannot be changed: it tells which document this is and where it belongs",
            "undo this document and submit another one",
        )
        for name in fixed
    )
    raise Problem("invalid-document", f"{', '.join(one.field for one in errors)} cannot be changed", errors=errors)


def _wire_name(domain: str, name: str) -> str:
    return DOMAINS[domain].model_fields[name].alias or name
