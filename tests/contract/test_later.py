"""What is done to a document that is there: once, found by an inquiry, and never over somebody else's change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.canonical import MASTER_DOMAINS, CanonicalDocument, Order
from adapters.errors import OutcomeUnknown, Rejected
from adapters.port import Cancellation, Change, ErpPort, FoundDocument, Operation, Posted, Posting, Reversal, Submission
from tests.contract.conftest import Permit, allow, assert_holds_no_secret, new_reference
from tests.contract.peer import Peer
from tests.contract.postings import LATER_OPERATIONS, do, later, postings_seen, prepared, promised
from tests.contract.test_documents import search_of

STATE_OPERATIONS = (Operation.CHANGE, Operation.CANCEL)
"""Found by the document's state, not by a reference of their own."""


async def test_it_happens_once_and_an_inquiry_tells_before_and_after(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver, *LATER_OPERATIONS):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            assert posting.domain == domain
            assert posting.operation is operation
            assert await driver.inquire(posting) == ()
            postings = postings_seen(peer)
            documents = peer.count_documents(domain)
            permit = Permit()
            posted = await do(driver, posting, permit)
            assert permit.calls == 1
            assert postings_seen(peer) == postings + 1
            assert peer.count_documents(domain) == documents
            _is_the_right_number(posted, posting)
            [found] = await driver.inquire(posting)
            assert found.number == posted.number
            assert found.agrees_with(driver.expectation(posting))
            _shows(found, await _original(driver, posting), posting, driver)


def _is_the_right_number(posted: Posted, posting: Posting) -> None:
    """A mirror is a document of its own; a changed or cancelled one keeps its number."""
    assert not isinstance(posting, Submission)
    assert posted.number.system_id == posting.number.system_id
    assert (posted.number == posting.number) is not isinstance(posting, Reversal)


async def _original(driver: ErpPort, posting: Posting) -> FoundDocument:
    assert not isinstance(posting, Submission)
    read = await driver.read(posting.number)
    assert read is not None
    return read


def _shows(found: FoundDocument, original: FoundDocument, posting: Posting, driver: ErpPort) -> None:
    """`agrees_with` is true where a side says nothing, so the document itself must show what was done to it."""
    expected = driver.expectation(posting)
    match posting:
        case Change():
            if posting.domain not in MASTER_DOMAINS:
                assert expected.total is not None
                assert original.total == found.total == expected.total
                assert expected.total != driver.expectation(posting.original).total
            assert found.external_reference == posting.original.external_reference
            assert not found.cancelled
        case Cancellation():
            assert found.cancelled
            assert original.cancelled
        case Reversal():
            assert found.external_reference == posting.external_reference
            assert found.total == expected.total == original.total
            assert original.reversed_by == found.number.document_number
        case Submission():
            pytest.fail("nothing is done to a document that is not there")


async def test_a_reversal_that_was_reversed_itself_counts_for_nothing(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver, Operation.REVERSE):
        with subtests.test(domain):
            posting = await prepared(peer, driver, domain, operation)
            assert isinstance(posting, Reversal)
            mirror = await do(driver, posting)
            back = replace(posting, number=mirror.number, external_reference=new_reference())
            back_again = await do(driver, back)
            original, undone = await _original(driver, posting), await _original(driver, back)
            assert (original.reversals, undone.reversed_by) == ((), back_again.number.document_number)
            once_more = await do(driver, replace(posting, external_reference=new_reference()))
            original = await _original(driver, posting)
            assert original.reversals == (once_more.number.document_number,)


async def test_a_document_that_somebody_reversed_is_not_reversed_again(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    """Two mirrors would undo it twice, and the ERP would take both. Our own is found by its reference instead."""
    for domain, operation in promised(driver, Operation.REVERSE):
        with subtests.test(domain):
            theirs = await prepared(peer, driver, domain, operation)
            assert isinstance(theirs, Reversal)
            mirror = await do(driver, theirs)
            ours = replace(theirs, external_reference=new_reference())
            for posting, meaning in ((ours, Rejected), (theirs, OutcomeUnknown)):
                postings = postings_seen(peer)
                permit = Permit()
                with pytest.raises(meaning) as raised:
                    await do(driver, posting, permit)
                assert_holds_no_secret(raised.value, peer)
                assert (raised.value.field == "number") is (meaning is Rejected)
                assert (mirror.number.document_number in raised.value.message) is (meaning is Rejected)
                assert permit.calls == 0
                assert postings_seen(peer) == postings
            assert await driver.inquire(ours) == ()
            assert [found.number for found in await driver.inquire(theirs)] == [mirror.number]
            assert (await _original(driver, theirs)).reversals == (mirror.number.document_number,)


async def test_what_stands_as_demanded_is_not_sent_again(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver, *STATE_OPERATIONS):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            await do(driver, posting)
            before = await _original(driver, posting)
            postings = postings_seen(peer)
            permit = Permit()
            with pytest.raises(OutcomeUnknown):
                await do(driver, posting, permit)
            assert permit.calls == 0
            assert postings_seen(peer) == postings
            assert await driver.inquire(posting) == (before,)


async def test_a_document_that_somebody_else_changed_is_left_alone(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver, *STATE_OPERATIONS):
        with subtests.test(domain, operation=operation.value):
            original = peer.submission(domain, new_reference())
            posted = await driver.submit(original, allow)
            if not peer.change_elsewhere(original, posted):
                continue
            posting = later(peer, original, posted, operation)
            postings = postings_seen(peer)
            permit = Permit()
            with pytest.raises(Rejected) as rejected:
                await do(driver, posting, permit)
            assert_holds_no_secret(rejected.value, peer)
            assert permit.calls == 0
            assert postings_seen(peer) == postings
            [found] = await driver.inquire(posting)
            assert found.number == posted.number
            assert not found.as_demanded
            assert not found.agrees_with(driver.expectation(posting))


async def test_a_document_that_is_not_there_can_neither_be_changed_nor_cancelled(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver, *STATE_OPERATIONS):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            assert isinstance(posting, Change | Cancellation)
            digits = str.maketrans("0123456789", "9876543210")
            nobody = posting.number.model_copy(
                update={"document_number": posting.number.document_number.translate(digits)}
            )
            lost = replace(posting, number=nobody)
            permit = Permit()
            with pytest.raises(Rejected):
                await do(driver, lost, permit)
            assert permit.calls == 0
            assert await driver.inquire(lost) == ()


async def test_members_that_cannot_be_changed_are_refused(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    """Never half of a change: if one member cannot be changed, nothing is."""
    for domain, _ in promised(driver, Operation.CHANGE):
        changeable = driver.capabilities()[domain, Operation.CHANGE].changeable
        change = await prepared(peer, driver, domain, Operation.CHANGE)
        assert isinstance(change, Change)
        for member, document in _unchangeable(change.document, changeable):
            with subtests.test(domain, member=member):
                postings = postings_seen(peer)
                permit = Permit()
                with pytest.raises(Rejected) as rejected:
                    await driver.change(replace(change, document=document), permit)
                assert rejected.value.field == member
                assert permit.calls == 0
                assert postings_seen(peer) == postings


def _unchangeable(document: CanonicalDocument, changeable: frozenset[str]) -> list[tuple[str, CanonicalDocument]]:
    """The document with one other thing changed, for each member of which `changeable` does not speak."""
    others = {"currencyCode": "GBP", "companyCode": "9999", "geography": "FR", "businessUnit": "produce"}
    if isinstance(document, Order):
        others["quoteReference"] = "quote-of-another-order"
    known = type(document).model_fields
    names = {(info.alias or name): name for name, info in known.items()}
    return [
        (member, document.model_copy(update={names[member]: value}))
        for member, value in others.items()
        if member in names and member not in changeable
    ]


async def test_a_refused_one_did_not_happen(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain, operation in promised(driver, *LATER_OPERATIONS):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = await _original(driver, posting)
            with peer.refused_act(domain, operation) as words:
                if words is None:
                    continue
                with pytest.raises(Rejected) as rejected:
                    await do(driver, posting)
            assert rejected.value.code == words.code
            assert words.message in rejected.value.message
            assert_holds_no_secret(rejected.value, peer)
            assert await driver.inquire(posting) == ()
            assert await _original(driver, posting) == before


async def test_a_mirror_is_in_no_total_of_its_domain_twice(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    """What was posted and undone must not look like two documents, nor like none."""
    for domain, _ in promised(driver, Operation.REVERSE):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            posted = await driver.submit(submission, allow)
            before = await driver.control_totals(search_of(submission))
            await driver.reverse(peer.reversal(submission, posted, new_reference()), allow)
            assert await driver.control_totals(search_of(submission)) == before
