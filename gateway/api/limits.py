"""A limit on everything that a caller can make large."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults and their reasons.

    `body_bytes`: a document of 1,000 lines is some 400 kB. `body_seconds`: a body that takes longer holds a
    connection, not a document. `depth`: the deepest canonical document nests 5. `digits`: of one JSON number; all
    amounts are strings. `text`: characters of one JSON string, above every field's own limit. `items`: members of
    one JSON list or object. `query_bytes`: a filter names a handful of ids. `page`: records
    of one page. `check_seconds`: what a readiness check may take.
    """

    body_bytes: int = 2_000_000
    body_seconds: float = 10.0
    depth: int = 16
    digits: int = 20
    text: int = 10_000
    items: int = 10_000
    query_bytes: int = 4_096
    header_bytes: int = 16_384
    page: int = 200
    default_page: int = 50
    check_seconds: float = 2.0
