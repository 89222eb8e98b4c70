"""What a driver does when all is well: every document that it can create is found, read, listed and counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.canonical import DOMAINS, MASTER_DOMAINS, ErpNumber, Invoice, JournalEntry, Order
from adapters.errors import Misconfigured, Rejected
from adapters.port import Capability, ErpPort, FoundDocument, Operation, Posted, Search, Submission
from tests.contract.conftest import Permit, allow, assert_holds_no_secret, new_reference, served
from tests.contract.documents import unserved_posting
from tests.contract.peer import Peer
from tests.contract.postings import do


def search_of(submission: Submission, *, limit: int = 1_000, cursor: str = "") -> Search:
    day = getattr(submission.document, "posting_date", None)
    return Search(submission.domain, posted_from=day, posted_until=day, limit=limit, cursor=cursor)


async def _all(driver: ErpPort, submission: Submission, limit: int) -> list[FoundDocument]:
    found: list[FoundDocument] = []
    cursor = ""
    for _ in range(1_000):
        page = await driver.search(search_of(submission, limit=limit, cursor=cursor))
        assert len(page.documents) <= limit
        found += page.documents
        cursor = page.next_cursor
        if not cursor:
            return found
    pytest.fail("the pages do not end")


def test_the_capabilities_are_complete_and_say_why_not(peer: Peer, driver: ErpPort) -> None:
    capabilities = driver.capabilities()
    assert served(driver), "a driver that can create nothing"
    for (domain, operation), capability in capabilities.items():
        assert domain in DOMAINS
        assert isinstance(operation, Operation)
        assert capability.supported or capability.reason, f"{domain}: unsupported without a reason"
        assert capability.longest_execution_s > 0
        assert capability.max_lines > 0


async def test_a_submission_is_found_exactly_once_and_agrees(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            reference = new_reference()
            submission = peer.submission(domain, reference)
            assert submission.external_reference == reference
            before = peer.count_documents(domain)
            permit = Permit()
            posted = await driver.submit(submission, permit)
            assert permit.calls == 1
            assert peer.count_documents(domain) == before + 1
            assert posted.number.system_id == driver.system_id
            found = await driver.inquire(submission)
            assert [one.number for one in found] == [posted.number]
            assert found[0].external_reference == reference
            expected = driver.expectation(submission)
            assert found[0].agrees_with(expected)
            if domain not in MASTER_DOMAINS:
                _proves_something(found[0], submission, driver)
                _confirmation_is_true(posted, submission)


def _proves_something(found: FoundDocument, submission: Submission, driver: ErpPort) -> None:
    """`agrees_with` is true where a side says nothing, so both must say something."""
    expected = driver.expectation(submission)
    assert expected.total is not None
    assert found.total == expected.total
    assert found.currency_code == expected.currency_code == submission.document.currency_code  # type: ignore[union-attr]
    assert found.party == expected.party
    # A journal entry is nobody's; every other document is somebody's.
    assert (found.party is None) is isinstance(submission.document, JournalEntry)


def _confirmation_is_true(posted: Posted, submission: Submission) -> None:
    confirmed, document = posted.confirmed, submission.document
    assert confirmed.currency_code in {None, document.currency_code}  # type: ignore[union-attr]
    assert confirmed.company_code in {None, document.company_code}
    assert confirmed.posting_date in {None, document.posting_date}  # type: ignore[union-attr]


async def test_what_was_posted_is_read_by_its_number(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            posted = await driver.submit(submission, allow)
            read = await driver.read(posted.number)
            assert read == (await driver.inquire(submission))[0]
            missing = posted.number.model_copy(update={"document_number": _other(posted.number)})
            assert await driver.read(missing) is None


def _other(number: ErpNumber) -> str:
    """A number of the same form that no document has: every digit becomes its complement to nine."""
    return number.document_number.translate(str.maketrans("0123456789", "9876543210"))


async def test_nothing_is_found_of_a_reference_that_was_never_used(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            assert await driver.inquire(peer.submission(domain, new_reference())) == ()


async def test_search_and_control_totals_see_it(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            before = await driver.control_totals(search_of(submission))
            posted = await driver.submit(submission, allow)
            found = await _all(driver, submission, 1_000)
            mine = [one for one in found if one.number == posted.number]
            assert mine == list(await driver.inquire(submission))
            after = await driver.control_totals(search_of(submission))
            assert after.count == before.count + 1 == len(found)
            if domain not in MASTER_DOMAINS:
                currency, total = mine[0].currency_code, mine[0].total
                assert currency is not None
                assert total is not None
                assert after.totals[currency] - before.totals.get(currency, Decimal(0)) == total


async def test_pages_hold_each_document_once(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            await driver.submit(submission, allow)
            for _ in range(2):
                await driver.submit(peer.submission(domain, new_reference()), allow)
            whole = [one.number for one in await _all(driver, submission, 1_000)]
            paged = [one.number for one in await _all(driver, submission, 7)]
            assert len(paged) == len(set(paged))
            assert set(paged) == set(whole)


async def test_a_refusal_has_the_code_and_the_words_of_the_erp(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain in served(driver):
        with subtests.test(domain), peer.refused(domain, new_reference()) as refusal:
            if refusal is None:
                continue
            before = peer.count_documents(domain)
            with pytest.raises(Rejected) as rejected:
                await driver.submit(refusal.submission, allow)
            assert rejected.value.code == refusal.code
            assert refusal.message in rejected.value.message
            assert peer.count_documents(domain) == before
            assert await driver.inquire(refusal.submission) == ()
            assert_holds_no_secret(rejected.value, peer)


async def test_validation_posts_nothing(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    capabilities = driver.capabilities()
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            before, requests = peer.count_documents(domain), len(peer.requests_seen())
            if capabilities[domain, Operation.CREATE].can_validate:
                assert (await driver.validate(submission)).accepted
                with peer.refused(domain, new_reference()) as refusal:
                    if refusal is not None:
                        report = await driver.validate(refusal.submission)
                        assert not report.accepted
                        assert any(refusal.message in message for message in report.messages)
            else:
                with pytest.raises(Misconfigured):
                    await driver.validate(submission)
                assert len(peer.requests_seen()) == requests
            assert peer.count_documents(domain) == before
            assert await driver.inquire(submission) == ()


async def test_what_is_not_supported_is_refused_without_a_call(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    nothing = Capability(supported=False)
    requests = len(peer.requests_seen())
    for domain, operation in ((domain, operation) for domain in DOMAINS for operation in Operation):
        if driver.capabilities().get((domain, operation), nothing).supported:
            continue
        with subtests.test(domain, operation=operation.value):
            permit = Permit()
            with pytest.raises(Misconfigured):
                await do(driver, unserved_posting(domain, operation, driver.system_id), permit)
            assert permit.calls == 0
            assert len(peer.requests_seen()) == requests


async def test_a_unit_that_the_system_has_none_for_is_the_callers(peer: Peer, driver: ErpPort) -> None:
    """Who sends it again gets the same answer: it is refused with its field, not put off until a person maps it."""
    refused = 0
    for domain in sorted({"orders", "invoices"} & set(served(driver))):
        for code in ("ZZZ", "KG"):
            submission = with_unit(peer.submission(domain, new_reference()), code)
            permit = Permit()
            try:
                await driver.submit(submission, permit)
            except Rejected as refusal:
                refused += 1
                if permit.calls == 0:
                    assert (refusal.field or "").endswith("unitCode")
    # an IDoc carries any ISO code: whether there is such a unit the system finds out later, by itself
    assert refused or set(served(driver)) == {"orders"}


def with_unit(submission: Submission, code: str) -> Submission:
    document = submission.document
    assert isinstance(document, Order | Invoice)
    first = document.lines[0]
    quantity = first.quantity.model_copy(update={"unit_code": code})
    lines = (first.model_copy(update={"quantity": quantity}), *document.lines[1:])
    return replace(submission, document=document.model_copy(update={"lines": lines}))


async def test_the_same_reference_twice(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    """Whoever claims that the ERP refuses a second one is held to it; else an inquiry must show both."""
    for domain in served(driver):
        with subtests.test(domain):
            reference = new_reference()
            first, second = peer.submission(domain, reference), peer.submission(domain, reference)
            posted = await driver.submit(first, allow)
            before = peer.count_documents(domain)
            if driver.capabilities()[domain, Operation.CREATE].reference_unique:
                with pytest.raises(Rejected):
                    await driver.submit(second, allow)
                assert peer.count_documents(domain) == before
            else:
                again = await driver.submit(second, allow)
                numbers = {one.number for one in await driver.inquire(first)}
                assert numbers == {posted.number, again.number}
                assert len(numbers) == 2


async def test_eight_at_once_are_eight_documents(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            submissions = [peer.submission(domain, new_reference()) for _ in range(8)]
            before = peer.count_documents(domain)
            if driver.capabilities()[domain, Operation.CREATE].one_at_a_time_key:
                posted = [await driver.submit(one, allow) for one in submissions]
            else:
                posted = list(await asyncio.gather(*(driver.submit(one, allow) for one in submissions)))
            assert peer.count_documents(domain) == before + 8
            assert len({one.number for one in posted}) == 8
            for submission, one in zip(submissions, posted, strict=True):
                assert [found.number for found in await driver.inquire(submission)] == [one.number]


async def test_a_healthy_system_is_ready(driver: ErpPort) -> None:
    health = await driver.health()
    assert health.ready, health.detail
    assert health.latency_s > 0
