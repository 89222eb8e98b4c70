"""The page of a pack, for people: no script, nothing from outside, one file. Pure.

Everything on it is in the pack's other files too; the page proves nothing by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from gateway.domain.wire import instant
from gateway.ledger.evidence.contents import KINDS, Evidence, entry_path
from gateway.ledger.evidence.names import names_of
from gateway.ledger.evidence.openings import MISSING, SHOWN, Opening
from gateway.ledger.evidence.timeline import Mark, timeline
from gateway.ledger.lines import base64_text
from gateway.ledger.note_keys import SIGNATURE_BYTES, VerifierKey, signed_at
from gateway.ledger.notes import parse_note

MOST_SHOWN: Final = 20_000
"""Bytes of one payload that the page shows; the file has all."""

COSIGNATURE_BYTES: Final = 8 + SIGNATURE_BYTES
"""A cosignature's payload: a time, and a signature."""
_YEAR_10000: Final = 253_402_300_800
"""In s since 1970."""
_STYLE: Final = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1d2733}"
    "h1{font-size:1.6rem}h2{margin-top:2.2rem;border-bottom:1px solid #d5dbe3}table{border-collapse:collapse;"
    "width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .6rem;border-bottom:1px solid #e6eaef}"
    "code,pre,.m{font-family:ui-monospace,monospace;font-size:12px;overflow-wrap:anywhere}"
    "pre{background:#f5f7f9;padding:.7rem;white-space:pre-wrap}.s{overflow-x:auto}.k{font:10px sans-serif}"
    ".d{font:11px sans-serif;fill:#56616e}.m{fill:#1d2733;font-size:10px}"
)
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page_of(evidence: Evidence, key: VerifierKey) -> bytes:
    """UTF-8. `key`: what the pack is signed with."""
    bodies = [(one.log_index, json.loads(one.body or b"{}")) for one in evidence.entries]
    title, names = f"Evidence {evidence.pack_id}", names_of(evidence)
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        _about(evidence),
        _sample(evidence.sample, names),
        "<h2>Timeline</h2><div class=s>",
        timeline([Mark(body["trace"], body["kind"], body["at"], index) for index, body in bodies], title, names),
        "</div>",
        _section("Decisions", bodies, KINDS["decisions.json"], _decision, names),
        _section("Answers of the ERPs", bodies, KINDS["answers.json"], _answer, names),
        _section("Changes of the rules: approvals and waivers", bodies, KINDS["approvals.json"], _approval, names),
        _openings(evidence.openings),
        _entries(bodies, names),
        _checking(evidence, key),
        "</body></html>\n",
    ]
    return "".join(parts).encode()


def _about(evidence: Evidence) -> str:
    checkpoint = evidence.checkpoint
    told = [
        ("About", _words(evidence.asked)),
        ("Ledger", checkpoint.origin),
        ("Checkpoint", f"{checkpoint.size} entries, root {base64_text(checkpoint.root)}"),
        *[("Signed", one) for one in _signers(evidence.note)],
        ("Made", f"{instant(evidence.made_at)} for {evidence.made_for}"),
        ("Entries", f"{len(evidence.found)} that the question found, {len(evidence.beside)} of what decided"),
        *[("Left out", one) for one in evidence.left_out],
        *[("ALARM", _missing(one)) for one in evidence.openings if one.state == MISSING],
    ]
    return _table((), told)


def _missing(one: Opening) -> str:
    return (
        f"what entry {one.entry.log_index} commits to as {one.member} is missing: it is not there as it was, and no "
        "entry tells that it was erased"
    )


def _signers(note: bytes) -> list[str]:
    """Who signed the checkpoint, as its note says; nothing is verified here."""
    told = []
    for one in parse_note(note).signatures:
        when = ""
        if len(one.payload) == COSIGNATURE_BYTES and signed_at(one.payload) < _YEAR_10000:
            when = f" at {instant(signed_at(one.payload) * 1_000_000)}"
        told.append(f"by {one.name} (key {one.key_id.hex()}){when}")
    return told


def _sample(sample: Mapping[str, Any] | None, names: Mapping[str, str]) -> str:
    if sample is None:
        return ""
    population = sample["population"]
    told = [
        ("Population", f"{population['transactionCount']} transactions: {_words(population['conditions']) or 'all'}"),
        ("Closed by", f"the checkpoint of {sample['closing']['size']} entries, root {sample['closing']['rootHash']}"),
        *[
            (f"Sum of {one['kind']}", f"{one['amount']} {one['currencyCode']} in {one['entryCount']} entries")
            for one in population["sums"]
        ],
        ("Nonce", sample["nonce"]),
        ("Seed", f"{sample['seed']} = SHA-256(nonce, root)"),
        ("Algorithm", f"{sample['algorithm']}: the smallest of SHA-256(seed, index in the log as 8 bytes)"),
        ("Drawn", f"{len(sample['drawn'])} of {sample['sampleSize']} that were asked for"),
    ]
    drawn = [(str(one["logIndex"]), _trace(one["trace"], names), one["score"]) for one in sample["drawn"]]
    return "<h2>Sample</h2>" + _table((), told) + _table(("Log index", "Transaction", "Score"), drawn)


def _section(
    title: str,
    bodies: Iterable[tuple[int, Mapping[str, Any]]],
    kinds: Sequence[str],
    told: Any,
    names: Mapping[str, str],
) -> str:
    rows = [
        (str(index), instant(body["at"]), _trace(body["trace"], names), body["kind"], told(body))
        for index, body in bodies
        if body.get("kind") in kinds
    ]
    if not rows:
        return ""
    return f"<h2>{escape(title)}</h2>" + _table(("Log", "At", "Trace", "Entry", "What"), rows)


def _decision(body: Mapping[str, Any]) -> str:
    rule = body.get("rule") or {}
    by = f"row {rule.get('row')} of table {rule.get('tableVersion')}, "
    if body.get("pinned") is True:
        by += f"activation {rule.get('pinnedUnder', '(not said)')}, by which its lineage was pinned; routed under "
    by += f"activation {rule.get('activationNumber')}"
    return f"{body.get('systemId')}: {body.get('explanation') or ''} ({by}). Facts: {_words(body.get('facts') or {})}"


def _answer(body: Mapping[str, Any]) -> str:
    return _words({name: body[name] for name in ("systemId", "code", "erp", "confirmed", "attempt") if name in body})


def _approval(body: Mapping[str, Any]) -> str:
    beside = {"v", "at", "trace", "seq", "kind", "lineageId"}
    return _words({name: value for name, value in body.items() if name not in beside})


def _openings(found: Sequence[Opening]) -> str:
    if not found:
        return ""
    parts = ["<h2>What entries commit to</h2>"]
    for one in found:
        parts.append(f"<h3>Entry {one.entry.log_index}, {escape(one.member)}: {escape(one.state)}</h3>")
        parts.append(f"<p><code>{escape(one.commitment)}</code></p>")
        if one.state == SHOWN and one.body is not None:
            parts.append(f"<p>{escape(one.path or '')}</p><pre>{escape(_readable(one.body))}</pre>")
    return "".join(parts)


def _entries(bodies: Iterable[tuple[int, Mapping[str, Any]]], names: Mapping[str, str]) -> str:
    rows = [
        (str(index), instant(body["at"]), _trace(body["trace"], names), str(body["seq"]), body["kind"], body["actor"])
        for index, body in bodies
    ]
    return "<h2>All entries</h2>" + _table(("Log", "At", "Trace", "Seq", "Entry", "Actor"), rows)


def _trace(trace: str, names: Mapping[str, str]) -> str:
    """Its id, and the name of its document where that is known."""
    return f"{trace} {names[trace]}" if trace in names else trace


def _checking(evidence: Evidence, key: VerifierKey) -> str:
    first = evidence.entries[0].log_index if evidence.entries else 0
    return (
        "<h2>How to check it</h2><p>Nothing on this page proves anything by itself. "
        "<code>erp-gateway ledger verify PACK.zip --key LOG-KEY --evidence-key EVIDENCE-KEY</code> checks the whole "
        "pack without a network. By other tools: <code>sha256sum --check manifest</code> compares the files with the "
        "manifest, which is a signed note (C2SP signed-note); "
        f"<code>{escape(entry_path(first))}</code> with the <code>.tlog-proof</code> beside it is a receipt "
        "(C2SP tlog-proof) under the checkpoint. A payload fits its entry if SHA-256(salt, bytes) is the commitment. "
        "Compare both keys with what was handed to you by another way.</p>"
        f"<p>Signed by <code>{escape(key.text)}</code></p>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = f"<tr>{''.join(f'<th>{escape(one)}</th>' for one in head)}</tr>" if head else ""
    lines = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{top}{lines}</table>"


def _words(members: Mapping[str, Any]) -> str:
    """`name value, name value`."""
    told = []
    for name, value in members.items():
        if isinstance(value, Mapping):
            told.append(f"{name} ({_words(value)})")
        else:
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            told.append(f"{name} {said}")
    return ", ".join(told)


def _readable(body: bytes) -> str:
    try:
        text = json.dumps(json.loads(body), indent=1, ensure_ascii=False)
    except ValueError:
        text = body.decode("utf-8", "replace")
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\n… (the file has all of it)"
