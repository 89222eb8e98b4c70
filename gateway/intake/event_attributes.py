"""What CloudEvents 1.0.2 forbids of an event in its JSON form, whoever reads it.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md (sections "Type System" and "Context
Attributes") and https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md.

Members that are given twice are refused before, where the JSON is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from gateway.api.problems import malformed

DATA: Final = "data"
DATA_BASE64: Final = "data_base64"
NAME_PATTERN: Final = "[a-z0-9]+"
"""Of an attribute. That it should have no more than 20 characters is only recommended."""

_REQUIRED: Final = ("id", "source", "type")
_TEXTS: Final = ("specversion", *_REQUIRED, "datacontenttype", "dataschema", "subject", "time")
_TRACE: Final = frozenset({"traceparent", "tracestate"})
"""A trace context that cannot be read is as good as none (W3C Trace Context, section 3.2.2.1): it refuses no event."""
_LEAST, _MOST = -(2**31), 2**31 - 1

_NAME: Final = re.compile(NAME_PATTERN)
_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
"""Control characters, half surrogate pairs, and what Unicode says is no character."""
_URI_REFERENCE: Final = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\x5b\x5d@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
"""The characters of RFC 3986 (5b and 5d are the brackets); which of its parts they make nobody needs to know here."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
"""RFC 3339, section 5.6; a second 60 is a leap second."""


def attributes_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are set: a null is as good as none (JSON format, section 2.2).

    Raises Problem `invalid-request` where the event is none.
    """
    found = {name: one for name, one in event.items() if one is not None and name not in (DATA, DATA_BASE64)}
    if found.get("specversion") != "1.0":
        raise malformed("specversion", 'is not "1.0"', "Send a CloudEvent 1.0 in structured JSON.")
    for name in _REQUIRED:
        if found.get(name) in (None, ""):
            raise malformed(name, "is missing or empty", "Every CloudEvent has one.")
    for name, one in found.items():
        _check_name(name)
        if name not in _TRACE:
            _check_type(name, one)
    _check_forms(found)
    return found


def data_of(event: Mapping[str, Any]) -> Any:
    """The document's JSON value. Raises Problem `invalid-request`.

    `data_base64` is for data that are no JSON, and so for no document.
    """
    if event.get(DATA_BASE64) is not None:
        if DATA in event:
            raise malformed(DATA_BASE64, "is given beside data", "Send one of the two: the document as JSON in data.")
        raise malformed(DATA_BASE64, "holds bytes, and no document", "Send the document as JSON in data.")
    if DATA not in event:
        raise malformed(DATA, "is missing", "Send the document as it would be submitted over HTTP.")
    return event[DATA]


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        remedy = "Use the letters a to z and digits; what belongs to the document goes into data."
        raise malformed(name[:64], "is no name of an attribute", remedy)


def _check_type(name: str, value: Any) -> None:
    """Sections "Type System" and 2.2 of the JSON format: texts, and for extensions also booleans and integers."""
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise malformed(name[:64], "holds a character that is forbidden in attributes", "Leave it out.")
    elif name in _TEXTS:
        raise malformed(name, "is no text", "Send it as a JSON string.")
    elif not isinstance(value, int) or not _LEAST <= value <= _MOST:
        remedy = "Send it as one of these; what belongs to the document goes into data."
        raise malformed(name[:64], "is no text, boolean or integer of 32 bits", remedy)


def _check_forms(found: Mapping[str, Any]) -> None:
    """Of the attributes that the specification knows, where they are set."""
    if _URI_REFERENCE.fullmatch(found["source"]) is None:
        raise malformed("source", "is no URI reference", "Write other characters in per cent (RFC 3986), as in /a%20b.")
    if "subject" in found and not found["subject"]:
        raise malformed("subject", "is empty", "Leave it out, or say what the event is about.")
    schema = found.get("dataschema")
    if schema is not None and (_URI_REFERENCE.fullmatch(schema) is None or _SCHEME.match(schema) is None):
        raise malformed("dataschema", "is no URI", "Leave it out, or send an absolute one (RFC 3986).")
    if "time" in found and not _is_time(found["time"]):
        raise malformed("time", "is no time of RFC 3339", "Send one with its zone, as in 2026-11-28T04:36:12Z.")


def _is_time(text: str) -> bool:
    matched = _TIME.fullmatch(text)
    if matched is None:
        return False
    try:
        date.fromisoformat(matched[1])
    except ValueError:
        return False
    return True
