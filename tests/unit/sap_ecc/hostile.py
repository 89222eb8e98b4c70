"""Answers that no ERP gives to the question that was asked: broken, bloated, meant for somebody else, or an attack."""

from __future__ import annotations

from typing import Final

from adapters.legacy_erp.sap_ecc import wire
from adapters.legacy_erp.sap_ecc.wire import MAX_BYTES
from adapters.transport import ErpResponse
from tests.unit.sap_ecc.scripted import answer, golden

_HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>'
_DEEP: Final = "<a>" * 40 + "1" + "</a>" * 40
_BOMB: Final = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_FILE: Final = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
HTML: Final = b"<html><body>Service cannot be reached</body></html>"


def hostile_xml(good: str, value: str) -> dict[str, bytes]:
    """Versions of `good`, the text of a function's answer that holds `value` in an element and an empty `<EXTRA/>`, of
    which none may be read as one."""
    return {
        "nothing": b"",
        "html": HTML,
        "json": b'{"SALESDOCUMENT": "1", "RETURN": []}',
        "entity bomb": good.replace(_HEAD, _HEAD + _BOMB).replace(f">{value}<", ">&b;<").encode(),
        "external entity": good.replace(_HEAD, _HEAD + _FILE).replace(f">{value}<", ">&a;<").encode(),
        "document type": good.replace(_HEAD, _HEAD + "<!DOCTYPE x>").encode(),
        "undeclared entity": good.replace(f">{value}<", ">&a;<").encode(),
        "depth": good.replace("<EXTRA/>", f"<EXTRA>{_DEEP}</EXTRA>").encode(),
        "great depth": good.replace("<EXTRA/>", "<a>" * 100_000).encode(),
        "size": good.replace("<EXTRA/>", " " * (MAX_BYTES + 1)).encode(),
        "declared charset": good.replace("utf-8", "iso-8859-1").encode("iso-8859-1"),
        "a mark and a declared charset": b"\xef\xbb\xbf" + good.replace("utf-8", "iso-8859-1").encode(),
        "utf-16": good.replace("utf-8", "utf-16").encode("utf-16"),
        "utf-16 undeclared": good.replace(_HEAD, "").encode("utf-16-le"),
        "utf-16 mark only": b"\xff\xfe" + good.encode(),
        "utf-7": good.replace("utf-8", "utf-7").encode(),
        "not utf-8": good.replace(f">{value}<", f">{value}\xfc<").encode("iso-8859-1"),
        "control character": good.replace(f">{value}<", f">{value}\x01<").encode(),
        "a name without end": good.replace("<EXTRA/>", f"<{'A' * 5_000}/>").encode(),
        "two documents": (good + good.replace(_HEAD, "")).encode(),
        "two bodies": good.replace("</e:Body>", "</e:Body><e:Body/>").encode(),
        "two answers": good.replace("</e:Body>", "<n:x xmlns:n='x'/></e:Body>").encode(),
        "empty body": answer("x", "").replace("<n:x ", "<!-- ").replace("></n:x>", " -->").encode(),
        "comment in a value": good.replace(f">{value}<", f">{value}<!-- 2 -->3<").encode(),
        "instruction in a value": good.replace(f">{value}<", f">{value}<?x?>3<").encode(),
        "characters among elements": good.replace("<EXTRA/>", "<EXTRA>x<item/></EXTRA>").encode(),
        "another function": answer("AnotherFunctionResponse", f"<SALESDOCUMENT>{value}</SALESDOCUMENT>").encode(),
        "another namespace": good.replace(wire.MC_STYLE, "urn:x").encode(),
        "soap 1.2": good.replace(wire.SOAP, "http://www.w3.org/2003/05/soap-envelope").encode(),
        "our own call": golden("order"),
        "an idoc": golden("idoc"),
    }


def hostile_json(good: bytes, name: str) -> dict[str, ErpResponse]:
    """Versions of `good`, a JSON answer with a member `name`, of which none may be read as one."""
    kind = {"content-type": "application/json;charset=utf-8"}
    first = f'"{name}":'.encode()
    bodies = {
        "nothing": b"",
        "null": b"null",
        "a number": b"12",
        "a list": b"[" + good + b"]",
        "a member twice": good.replace(first, first + b' "x", ' + first),
        "a member renamed": good.replace(first, b'"other":'),
        "a member that is no text": good.replace(first, first + b' {"a": 1}, "other":'),
        "not utf-8": good.replace(b"Application", b"Application\xfc"),
        "a mark in front": b"\xef\xbb\xbf" + good,
        "utf-16": good.decode().encode("utf-16"),
        "deep": b'{"a":' * 200_000,
        "size": good + b" " * MAX_BYTES,
        "two objects": good + good,
        "a long number": b'{"a": ' + b"9" * 5_000 + b"}",
        "another message": good.replace(b'"ORDERS"', b'"INVOIC"'),
        "another type": good.replace(b'"ORDERS05"', b'"ORDERS04"'),
        "outbound": good.replace(b'"2"', b'"1"'),
        "a short number": good.replace(b"1000000000000001", b"1"),
        "no status": good.replace(b'"53"', b'""'),
    }
    answers = {what: ErpResponse(201, kind, body) for what, body in bodies.items()}
    return answers | {
        "html": ErpResponse(200, {"content-type": "text/html"}, HTML),
        "xml": ErpResponse(201, {"content-type": "text/xml"}, good),
        "another charset": ErpResponse(201, {"content-type": "application/json; charset=iso-8859-1"}, good),
        "no type": ErpResponse(201, {}, good),
        "accepted only": ErpResponse(202, kind, good),
        "redirect": ErpResponse(302, {"location": "/login"}, good),
    }
