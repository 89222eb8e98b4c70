"""A draft's files: texts by name, within limits, and the rulebook that they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from gateway.errors import FieldError, Problem
from routing_rules import DOMAINS, Rulebook, RulebookInvalid, parse_rulebook

MOST_BYTES: Final = 1_900_000
"""Of all files of a draft together, in UTF-8: what a request's body holds. A table of 10,000 rows is about 1 MB."""
MOST_FILES: Final = 1 + len(DOMAINS)
TITLE: Final = 200
"""Characters of a draft's title."""
_NAME: Final = re.compile(r"\A(rulebook\.yaml|[a-z_]{1,40}\.csv)\Z")
_SHOWN_ERRORS: Final = 200


def parsed(files: Mapping[str, str]) -> Rulebook:
    """The rulebook in the files. Raises `invalid-document` with every complaint at once (file:line:column), and
    `too-large`."""
    strange = [name for name in files if _NAME.match(name) is None]
    if strange or len(files) > MOST_FILES:
        raise Problem(
            "invalid-document",
            f"A draft is rulebook.yaml and one CSV per domain, at most {MOST_FILES} files.",
            errors=tuple(FieldError(f"files.{name[:64]}", "is no file of a draft", _REMEDY) for name in strange),
        )
    size = sum(len(text.encode("utf-8", errors="surrogatepass")) for text in files.values())
    if size > MOST_BYTES:
        raise Problem(
            "too-large",
            f"The files are {size} bytes; {MOST_BYTES} are taken.",
            remedy="Take rows together with lists and tree nodes, or drop what no longer decides.",
            extra={"mostBytes": MOST_BYTES},
        )
    try:
        return parse_rulebook({name: text.encode() for name, text in files.items()})
    except UnicodeEncodeError as error:
        raise Problem("invalid-document", "A file holds a lone surrogate, which is no text.") from error
    except RulebookInvalid as error:
        shown = error.complaints[:_SHOWN_ERRORS]
        more = len(error.complaints) - len(shown)
        raise Problem(
            "invalid-document",
            f"The files are no rulebook: {len(error.complaints)} complaints"
            + (f", the first {len(shown)} are in errors." if more else "."),
            errors=tuple(
                FieldError(f"files.{one.file}:{one.line}:{one.column}", one.message, one.remedy) for one in shown
            ),
        ) from error


def stored(files: Mapping[str, str]) -> str:
    """The files as a draft's row holds them."""
    return json.dumps(dict(sorted(files.items())), ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> dict[str, str]:
    """The files of a draft's row."""
    files: dict[str, str] = json.loads(text)
    return files


_REMEDY: Final = f"Name it rulebook.yaml or <domain>.csv, of the domains {', '.join(DOMAINS)}."
