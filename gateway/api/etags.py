"""ETags of documents and the preconditions on them (RFC 9110 sections 8.8.3 and 13.1).

A document's ETag is its version, `v3`. While something is still being done to it, what is answered of it changes
without a new version, so the tag says more: `v3.` and a digest of how far that came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from gateway.api.problems import malformed
from gateway.domain.records import DocumentRecord
from gateway.domain.transaction import ENDS, Status

TAG_PATTERN: Final = r"[!#-+\--~]{1,64}"
"""Without the comma, which would cut a list."""
MOST_TAGS: Final = 50
_REMEDY: Final = "Send the etag exactly as the document's answer gave it; in the header within its double quotes."
_ENTITY_TAG: Final = re.compile(rf'\A(W/)?"({TAG_PATTERN})"\Z')
_MEMBER: Final = re.compile(rf'\A(?:"({TAG_PATTERN})"|({TAG_PATTERN}))\Z')
_DIGEST_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True)
class Tags:
    """What a condition lists. `anything`: it is `*`, which every document fulfils that exists."""

    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    anything: bool = False

    def demanded(self, record: DocumentRecord, status: Status | None) -> str:
        """The version to demand of the document, in the strong comparison: no weak tag is ever equal (section 8.8.3.2).
        One that does not match is demanded too: whoever changes the document refuses it."""
        if self.anything or not {record.etag, etag_of(record, status)}.isdisjoint(self.strong):
            return record.etag
        return self.strong[0] if self.strong else f'W/"{self.weak[0]}"'

    def hold(self, current: str) -> bool:
        """Whether one is the current tag, in the weak comparison."""
        return self.anything or current in self.strong or current in self.weak


def etag_of(record: DocumentRecord, status: Status | None) -> str:
    """The tag of a document as it is answered; `status`: of the transaction that created it, None for imported ones."""
    if (status is None or status in ENDS) and record.busy_with is None:
        return record.etag
    digest = sha256(f"{status} {record.busy_with}".encode()).hexdigest()
    return f"{record.etag}.{digest[:_DIGEST_CHARACTERS]}"


def quoted(tag: str) -> bytes:
    """As in a header."""
    return f'"{tag}"'.encode("ascii")


def if_match(header: bytes | None, member: Any) -> Tags | None:
    """The condition of the header If-Match or of the member `ifMatch`: `*`, or one tag with or without its quotes.

    Raises `invalid-request` for what is no tag, and for two conditions that differ.
    """
    in_header, in_body = read_tags("If-Match", header), _of_member(member)
    if in_header is not None and in_body is not None and in_header != in_body:
        raise malformed("ifMatch", "differs from the header If-Match", "Send one, or the same twice.")
    return in_header if in_body is None else in_body


def read_tags(name: str, header: bytes | None) -> Tags | None:
    """The tags of a header, `*` or a list. Raises `invalid-request`."""
    if header is None:
        return None
    text = header.decode("latin-1").strip()
    if text == "*":
        return Tags(anything=True)
    listed = [one.strip() for one in text.split(",") if one.strip()]
    found = [_ENTITY_TAG.match(one) for one in listed]
    if not 0 < len(found) <= MOST_TAGS or None in found:
        raise malformed(name, "is not a list of ETags", _REMEDY)
    tags = [(one[1] is not None, one[2]) for one in found if one is not None]
    return Tags(tuple(tag for weak, tag in tags if not weak), tuple(tag for weak, tag in tags if weak))


def _of_member(member: Any) -> Tags | None:
    if member is None:
        return None
    if member == "*":
        return Tags(anything=True)
    found = _MEMBER.match(member) if isinstance(member, str) else None
    if found is None:
        raise malformed("ifMatch", "is not an ETag", _REMEDY)
    return Tags((found[1] or found[2],))
