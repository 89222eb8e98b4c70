"""SOAP 1.1 envelopes of ABAP functions: writing calls, reading answers.

Sources: SOAP 1.1 (W3C Note, sections 4 and 4.4); SAP Help "SOAP Runtime" and "Name Mapping of Function Modules"
(calls in the namespace rfc:functions keep the ABAP names; answers may come in mc-style, so names are compared
without case and underscores).

Reading trusts nothing: no DTD, no entities, no comments or processing instructions, UTF-8 only, bounded size and
depth, no repeated names, the answer of the called function and no other. Whatever breaks this raises `Unreadable`,
which is never a success.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lxml import etree

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
RFC: Final = "urn:sap-com:document:sap:rfc:functions"
MC_STYLE: Final = "urn:sap-com:document:sap:soap:functions:mc-style"
CONTENT_TYPE: Final = "text/xml; charset=utf-8"

MAX_BYTES: Final = 8_000_000
"""Of one answer; 1,000 rows of RFC_READ_TABLE (at most 512 characters each) are well below."""
MAX_DEPTH: Final = 16
"""Envelope, Body, answer, table, row, field are 6; a fault's detail is a little deeper."""

_NAME: Final = 60
"""ABAP names have at most 30 characters; the bound also keeps what `folded` remembers small."""

Value = str | Mapping[str, "Value"] | Sequence["Value"]
"""A parameter: characters, a structure, or a table (its rows)."""
Struct = Mapping[str, Value]

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Z0-9]")
_UTF8: Final = frozenset({"utf-8", "utf8"})
_ENCODING: Final = re.compile(rb"""\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


class Unreadable(ValueError):
    """The answer is outside the protocol. The message never quotes it."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function module: its ABAP name, and the name that mc-style answers use for it."""

    name: str
    alias: str

    def answers(self, local_name: str) -> bool:
        """True if an element of this name is this function's answer."""
        return folded(local_name) in {folded(self.name) + "RESPONSE", folded(self.alias) + "RESPONSE"}


CREATE_ORDER: Final = Function("BAPI_SALESORDER_CREATEFROMDAT2", "SalesOrderCreateFromDat2")
CHANGE_ORDER: Final = Function("BAPI_SALESORDER_CHANGE", "SalesOrderChange")
POST_DOCUMENT: Final = Function("BAPI_ACC_DOCUMENT_POST", "AccDocumentPost")
COMMIT: Final = Function("BAPI_TRANSACTION_COMMIT", "TransactionCommit")
READ_TABLE: Final = Function("RFC_READ_TABLE", "RfcReadTable")
PING: Final = Function("RFC_PING", "RfcPing")


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault: the name of the ABAP exception if there is one, and the text (bounded)."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A function's answer; names are folded (`folded`)."""

    values: Mapping[str, object]

    def has(self, name: str) -> bool:
        """True if the answer holds a parameter of this name, even an empty one."""
        return folded(name) in self.values

    def text(self, name: str) -> str:
        """A parameter of characters, "" if absent. Raises `Unreadable` for a structure."""
        return text_of(self.values, name)

    def rows(self, name: str) -> tuple[Mapping[str, object], ...]:
        """A table's rows; a single structure is a table of one, an empty element has none."""
        value = self.values.get(folded(name), "")
        if value == "":
            return ()
        rows = value if isinstance(value, list) else [value]
        structures = tuple(row for row in rows if isinstance(row, Mapping))
        if len(structures) != len(rows):
            raise Unreadable(f"{name} holds rows that are no structures")
        return structures


@lru_cache(maxsize=2_048)
def folded(name: str) -> str:
    """A name without case and underscores: PURCH_NO_C, PurchNoC and purchNoC are one."""
    return _NOT_IN_NAMES.sub("", name.upper())


def text_of(row: Mapping[str, object], name: str) -> str:
    """A field of characters, "" if absent. Raises `Unreadable` for a structure."""
    value = row.get(folded(name), "")
    if not isinstance(value, str):
        raise Unreadable(f"{name} is not a field of characters")
    return value


def clean(text: str, limit: int) -> str:
    """`text` on one line, without what XML cannot hold, cut to `limit` UTF-16 units (an ABAP character is one)."""
    line = " ".join(_NOT_XML.sub(" ", text).split())
    return line.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore").rstrip()


def envelope(function: Function, parameters: Struct) -> bytes:
    """The call of `function` as a SOAP 1.1 envelope, UTF-8. Pure."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    body = etree.SubElement(root, f"{{{SOAP}}}Body")
    call = etree.SubElement(body, f"{{{RFC}}}{function.name}", nsmap={"rfc": RFC})
    for name, value in parameters.items():
        _write(call, name, value)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _write(parent: etree._Element, name: str, value: Value) -> None:
    element = etree.SubElement(parent, name)
    if isinstance(value, str):
        element.text = value or None
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _write(element, key, inner)
    else:
        for row in value:
            _write(element, "item", row)


def parse(function: Function, content_type: str, body: bytes) -> Answer | Fault:
    """Read the answer to a call of `function`. Raises `Unreadable` for anything but its answer or a fault."""
    payload = _payload(_tree(content_type, body))
    name = etree.QName(payload)
    if name.namespace == SOAP and name.localname == "Fault":
        return _fault(payload)
    if name.namespace not in {RFC, MC_STYLE} or not function.answers(name.localname):
        raise Unreadable("the answer is another function's")
    values = _value(payload, 3)
    if isinstance(values, list):
        raise Unreadable("the answer is a table without a name")
    return Answer({} if isinstance(values, str) else values)


def _tree(content_type: str, body: bytes) -> etree._Element:
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() not in {"text/xml", "application/xml"}:
        raise Unreadable("the answer is not XML")
    charset = re.search(r"charset\s*=\s*\"?([A-Za-z0-9._-]+)", parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in _UTF8:
        raise Unreadable("the answer is not in UTF-8")
    return tree(body)


def tree(body: bytes) -> etree._Element:
    """XML that others wrote. Raises `Unreadable` for a document type, another charset than UTF-8, or what is too long
    or not well-formed. How deep it is, is the reader's business."""
    declared = _ENCODING.match(body)
    if declared and declared[1].decode("ascii").lower() not in _UTF8:
        raise Unreadable("the answer is not in UTF-8")
    if len(body) > MAX_BYTES:
        raise Unreadable(f"the answer is longer than {MAX_BYTES} bytes")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Unreadable("the answer holds a document type")
    try:
        body.decode("utf-8")
        # Entities are refused above already; the parser is told all the same, in case a decoder ever differs.
        parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
        )
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, UnicodeDecodeError, ValueError) as error:
        raise Unreadable("the answer is not well-formed XML in UTF-8") from error


def _payload(root: etree._Element) -> etree._Element:
    """The only child of the only Body."""
    if root.tag != f"{{{SOAP}}}Envelope":
        raise Unreadable("the answer is not a SOAP 1.1 envelope")
    bodies = [child for child in root if child.tag == f"{{{SOAP}}}Body"]
    if len(bodies) != 1 or any(child.tag not in {f"{{{SOAP}}}Body", f"{{{SOAP}}}Header"} for child in root):
        raise Unreadable("the envelope does not hold one Body")
    payloads = list(bodies[0])
    if len(payloads) != 1 or not isinstance(payloads[0].tag, str):
        raise Unreadable("the Body does not hold one answer")
    return payloads[0]


def _value(element: etree._Element, depth: int) -> str | dict[str, object] | list[object]:
    """Characters, a structure, or a table (all children are named `item`)."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"the answer is deeper than {MAX_DEPTH}")
    children = list(element)
    if not children:
        return element.text or ""
    if _stray(element.text) or any(_stray(child.tail) for child in children):
        raise Unreadable("the answer mixes characters and elements")
    if not all(isinstance(child.tag, str) for child in children):
        raise Unreadable("the answer holds comments, instructions or entities")
    names = [child.tag.rpartition("}")[2] for child in children]
    if any(len(name) > _NAME for name in names):
        raise Unreadable("the answer holds a name longer than ABAP knows")
    if all(name == "item" for name in names):
        return [_value(child, depth + 1) for child in children]
    structure: dict[str, object] = {
        folded(n): _value(child, depth + 1) for n, child in zip(names, children, strict=True)
    }
    if len(structure) != len(children):
        raise Unreadable("the answer holds a name twice")
    return structure


def _stray(text: str | None) -> bool:
    return text is not None and not text.isspace()


def _fault(element: etree._Element) -> Fault:
    text = name = ""
    for child in element.iter("{*}faultstring", "{*}Name"):
        local = etree.QName(child).localname
        if local == "faultstring":
            text = child.text or ""
        elif local == "Name" and not name:
            name = child.text or ""
    return Fault(clean(name, 60), clean(text, 220))
