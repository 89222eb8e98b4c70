"""The page of a pack: for people, without script, without anything from outside, with nobody's markup; and that the
same evidence always gives the same bytes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.entries import EntryKind, ledger_entry
from gateway.domain.identity import payload_commitment
from gateway.domain.records import PayloadRecord
from gateway.ledger.checkpoint import Checkpoint
from gateway.ledger.evidence.archive import archive_of, files_of
from gateway.ledger.evidence.contents import Evidence
from gateway.ledger.evidence.desk import signed_pack
from gateway.ledger.evidence.names import names_of
from gateway.ledger.evidence.openings import ERASED, MISSING, SHOWN, UNAVAILABLE, WITHHELD, Candidates, openings
from gateway.ledger.evidence.page import page_of
from gateway.ledger.evidence.timeline import MOST_MARKS, Mark, timeline
from gateway.ledger.evidence.wrong import PackWrong
from gateway.ledger.log_keys import sign_checkpoint
from gateway.ledger.note_keys import SigningKey
from gateway.ledger.receipt import Receipt
from gateway.store.log_reads import PlacedEntry
from tests.ledger.logs import KEY, ORIGIN

EVIDENCE_KEY = SigningKey(f"{ORIGIN}/evidence", b"e" * 32)
SALT = b"s" * 16
VOID = {"meta", "line", "circle"}
ALL_TAGS = VOID | {
    "html", "head", "title", "style", "body", "h1", "h2", "h3", "p", "table", "tr", "th", "td", "div", "svg", "text",
    "pre", "code",
}  # fmt: skip


def _placed(index: int, kind: str, members: dict[str, object], seq: int = 1) -> PlacedEntry:
    entry = ledger_entry(
        EntryKind(kind), trace="txn_1", seq=seq, at=1_795_765_728_020_435 + index, actor="a", members=members
    )
    return PlacedEntry(index, "txn_1", seq, entry.body, entry.leaf_hash)


def _evidence(said: str = "plain") -> Evidence:
    body = json.dumps({"externalId": said}).encode()
    accepted = _placed(3, "accepted", {"payloadHash": payload_commitment(SALT, body), "domain": said})
    routed = _placed(
        4, "routed", {"systemId": said, "explanation": said, "rule": {"row": said}, "facts": {said: said}}, 2
    )
    candidates = Candidates(records=[PayloadRecord("pay_1", SALT, body)])
    checkpoint = Checkpoint(ORIGIN, 5, bytes(32))
    note = bytes(sign_checkpoint(checkpoint, [KEY]))
    return Evidence(
        pack_id="evd_1",
        made_at=1_795_765_729_000_000,
        made_for=said,
        sees_all=True,
        asked={"about": "transaction", "transactionId": said},
        checkpoint=checkpoint,
        note=note,
        announcements=(),
        found=[accepted, routed],
        beside=[],
        receipts={one: Receipt(one, (), note) for one in (3, 4)},
        openings=openings([accepted, routed], candidates, may_read=True),
        rules={},
        left_out=(said,),
    )


class _Tags(HTMLParser):
    """Tags with their attributes; that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def close(self) -> None:
        super().close()
        assert self._open == []


def _tags(page: bytes) -> _Tags:
    found = _Tags()
    found.feed(page.decode())
    found.close()
    return found


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></pre></table><iframe src=//evil.example>",
    "' onmouseover='x",
    "<!--",
    "&lt;b&gt;",
)


@pytest.mark.parametrize("said", HOSTILE)
def test_nobody_writes_markup_into_the_page(said: str) -> None:
    tags = _tags(page_of(_evidence(said), EVIDENCE_KEY.key))
    plain = _tags(page_of(_evidence(), EVIDENCE_KEY.key))
    assert (tags.names, sorted(tags.attributes)) == (plain.names, sorted(plain.attributes))


@given(st.text(max_size=30))
def test_whatever_is_said_is_shown_as_text(said: str) -> None:
    if not any("\ud800" <= one <= "\udfff" for one in said):
        tags = _tags(page_of(_evidence(said), EVIDENCE_KEY.key))
        assert tags.names <= ALL_TAGS


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    page = page_of(_evidence(), EVIDENCE_KEY.key)
    tags = _tags(page)
    assert {"script", "link", "img", "iframe", "object", "form", "base"}.isdisjoint(tags.names)
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in {"src", "href", "action"}]
    assert b"url(" not in page
    assert b"default-src &#x27;none&#x27;" in page


def test_the_timeline_is_a_drawing() -> None:
    marks = [Mark(f"txn_{number % 3}", "posted", 86_400_000_000 * number, number) for number in range(MOST_MARKS + 5)]
    drawn, _, cut = timeline(marks, "<&>", {"txn_1": "orders <1>"}).partition("</svg>")
    root = ElementTree.fromstring(drawn + "</svg>")  # noqa: S314 - our own
    assert len(root.findall("{*}circle")) == MOST_MARKS
    assert f"first {MOST_MARKS} of {MOST_MARKS + 5}" in cut
    assert timeline([], "nothing", {}) == ""


def test_a_document_is_named_beside_its_transaction_as_far_as_the_pack_shows_it() -> None:
    body = json.dumps({"externalId": "SO-<1>"}).encode()
    known = {"payloadHash": payload_commitment(SALT, body), "domain": "orders", "documentId": "doc_1"}
    asked = json.dumps({"reason": "twice"}).encode()
    cancels = {"payloadHash": payload_commitment(SALT, asked), "domain": "orders", "documentId": "doc_1"}
    accepted = _placed(3, "accepted", known)
    cancelled = replace(_placed(4, "accepted", cancels), trace="txn_2")
    payloads = [PayloadRecord("pay_1", SALT, body), PayloadRecord("pay_2", SALT, asked)]
    told = openings([accepted, cancelled], Candidates(records=payloads), may_read=True)
    evidence = replace(_evidence(), found=[accepted, cancelled], openings=told)
    assert names_of(evidence) == {"txn_1": "orders SO-<1>", "txn_2": "orders SO-<1>"}
    page = page_of(evidence, EVIDENCE_KEY.key).decode()
    assert "<td>txn_1 orders SO-&lt;1&gt;</td>" in page
    assert 'class="d">orders SO-&lt;1&gt;</text>' in page
    withheld = openings([accepted], Candidates(records=payloads), may_read=False)
    assert names_of(replace(evidence, openings=withheld)) == {}
    gone = Candidates(records=[PayloadRecord("pay_1", SALT, None, 1)])
    assert names_of(replace(evidence, openings=openings([accepted], gone, may_read=True))) == {}


def test_the_same_evidence_gives_the_same_bytes() -> None:
    assert signed_pack(_evidence(), EVIDENCE_KEY) == signed_pack(_evidence(), EVIDENCE_KEY)
    assert signed_pack(_evidence(), EVIDENCE_KEY) != signed_pack(_evidence("other"), EVIDENCE_KEY)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,5}(/[a-z]{1,3})?", fullmatch=True), st.binary(max_size=50)))
def test_an_archive_gives_back_its_files(files: dict[str, bytes]) -> None:
    data = archive_of(files)
    assert files_of(data) == files
    assert archive_of(dict(reversed(files.items()))) == data


@pytest.mark.parametrize("path", ["../up", "/root", "a//b", "A", "a b", "", "a\nb", "a\\b", "a/b/c/d/e"])
def test_a_pack_has_no_such_path(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        archive_of({path: b""})


def test_what_is_erased_withheld_or_gone_is_told_apart() -> None:
    body, other = b"{}", "0" * 64
    known = payload_commitment(SALT, body)
    accepted = _placed(0, "accepted", {"payloadHash": known})
    said = _placed(1, "rejected", {"problemHash": other, "direction": "undo"}, 2)
    there = Candidates(records=[PayloadRecord("pay_1", SALT, body)])
    assert [one.state for one in openings([accepted, said], there, may_read=True)] == [SHOWN, UNAVAILABLE]
    assert [one.state for one in openings([accepted, said], there, may_read=False)] == [WITHHELD, WITHHELD]
    gone = Candidates(records=[PayloadRecord("pay_1", SALT, None, 1)])
    erased = _placed(2, "erased", {"payloadHashes": [known]}, 3)
    assert [one.state for one in openings([accepted, erased], gone, may_read=True)] == [ERASED]
    for may_read in (True, False):
        assert [one.state for one in openings([accepted], gone, may_read=may_read)] == [MISSING]
        assert [one.state for one in openings([accepted], Candidates(), may_read=may_read)] == [MISSING]
        other_trace = replace(erased, trace="txn_2", body=(erased.body or b"").replace(b"txn_1", b"txn_2"))
        assert [one.state for one in openings([accepted, other_trace], gone, may_read=may_read)] == [MISSING]
    shown = openings([accepted], there, may_read=True)[0].words()
    assert re.fullmatch(r"payloads/[a-z0-9_]+\.json", shown["path"])


def test_a_pack_that_would_be_too_large_is_refused() -> None:
    evidence = _evidence()
    many = [replace(evidence.found[0], log_index=number) for number in range(4_600)]
    receipts = dict.fromkeys(range(4_600), evidence.receipts[3])
    large = replace(evidence, found=many, receipts=receipts, openings=())
    with pytest.raises(Exception, match="too large"):
        signed_pack(large, EVIDENCE_KEY)
    with pytest.raises(PackWrong):
        files_of(b"PK" * 40_000_000)
