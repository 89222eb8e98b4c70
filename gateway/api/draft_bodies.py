"""The bodies of what is done to drafts, and of going back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, TypeVar

from pydantic import AwareDatetime, Field, ValidationError

from adapters.canonical import CanonicalModel
from gateway.api.etags import TAG_PATTERN
from gateway.api.limits import Limits
from gateway.api.strict_json import parse_object
from gateway.api.undoings import Reason
from gateway.cutover.draft_files import MOST_BYTES, MOST_FILES, TITLE
from gateway.domain.complaints import problem_of_validation

Title = Annotated[
    str, Field(min_length=1, max_length=TITLE, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Northern live"])
]
M = TypeVar("M", bound=CanonicalModel)
_BESIDE: Final = ("idempotencyKey", "ifMatch")


class OfDraft(CanonicalModel):
    """What is done to a draft may say which version of it was read."""

    if_match: (
        Annotated[
            str,
            Field(
                pattern=f'^("{TAG_PATTERN}"|{TAG_PATTERN})$',
                description="The draft's etag; as the header If-Match.",
                examples=["v2"],
            ),
        ]
        | None
    ) = None


class DraftFile(CanonicalModel):
    """A file of a rulebook: `rulebook.yaml` or `<domain>.csv`. `text`: the whole of it."""

    file_name: Annotated[str, Field(min_length=1, max_length=64, examples=["orders.csv"])]
    text: Annotated[str, Field(max_length=MOST_BYTES)]


class DraftContent(OfDraft):
    """All files of a rulebook; a file that is left out is not in it. `base_activation_number`: what the author takes to
    be in force; where something else is, the draft is not saved."""

    title: Title
    files: Annotated[tuple[DraftFile, ...], Field(min_length=1, max_length=MOST_FILES)]
    base_activation_number: Annotated[int, Field(ge=1, le=2**53)] | None = None


class Approving(OfDraft):
    """An approval has no content of its own: it names the draft as it stands."""


class Waiving(OfDraft):
    """Lets a draft pass without a gate until `expires_at`. `reason`: for people; kept beside the ledger."""

    gate: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$", examples=["calendar"])]
    reason: Reason
    expires_at: Annotated[AwareDatetime, Field(strict=False, examples=["2026-12-24T00:00:00Z"])]


class ActivatingAt(OfDraft):
    """When the draft comes into force. Nothing: now. `effective_at`: at this instant. `company_code` and `period`: at
    the end of that fiscal period of the company code, at 00:00 UTC of the day after."""

    effective_at: Annotated[AwareDatetime, Field(strict=False, examples=["2026-12-01T00:00:00Z"])] | None = None
    company_code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,10}$", examples=["NW01"])] | None = None
    period: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$", examples=["2026-11"])] | None = None


class Closing(OfDraft):
    """Discards a draft, or withdraws the request to activate it: nothing more is to be said."""


class GoingBack(CanonicalModel):
    """Takes a slice back to what it was. `reason`: for people; kept beside the ledger."""

    reason: Reason


class ReadBody:
    """A body that was read. `key`, `if_match`: the members, as they were sent."""

    __slots__ = ("if_match", "key", "text")

    def __init__(self, raw: bytes, limits: Limits) -> None:
        members = parse_object(raw, limits)
        self.key, self.if_match = (members.pop(name, None) for name in _BESIDE)
        self.text = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    def of(self, model: type[M]) -> M:
        """The content. Raises `invalid-document`."""
        try:
            return model.model_validate_json(self.text, by_alias=True, by_name=False)
        except ValidationError as error:
            raise problem_of_validation(error, model) from error


def limits_of_files(limits: Limits) -> Limits:
    """A file is one JSON string, as long as all the body may be."""
    return replace(limits, text=limits.body_bytes)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    since = moment - datetime.fromtimestamp(0, moment.tzinfo)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
