"""Every misbehaviour of the wire, on the posting calls of every driver.

The proxy lets set-up calls and inquiries through to the real peer and misbehaves on the request by which a document
comes to be, is changed, cancelled or mirrored, so what is counted is what counts: postings that the peer was given,
and documents that it holds.
"""

from __future__ import annotations

import pytest

from adapters.errors import ErpError, Garbled, OutcomeUnknown
from adapters.port import ErpPort, Operation
from tests.contract.conftest import (
    PATIENT,
    Permit,
    assert_holds_no_secret,
    limits_of,
    new_reference,
    opened,
    outcome_of,
    served,
)
from tests.contract.peer import Peer, SeenRequest
from tests.contract.postings import do, prepared, promised
from tests.wire.messages import answer
from tests.wire.misbehaviours import MISBEHAVIOURS, Act, Misbehaviour, by_name, says
from tests.wire.proxy import FaultProxy

LOST_ANSWERS = ("reset", "close", "half-header", "half-body", "never", "html-200", "html-500", "garbage-status-line")
SET_UP_FAULTS = ("reset", "half-body", "never", "html-200", "html-500", "garbage-status-line", "redirect")


@pytest.mark.parametrize("one", MISBEHAVIOURS, ids=lambda one: one.name)
async def test_a_posting_that_goes_wrong_on_the_wire_is_unknown_and_sent_once(
    peer: Peer, driver: ErpPort, one: Misbehaviour, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            async with (
                FaultProxy(peer.base_url, when=peer.is_posting, do=one.act) as proxy,
                opened(peer.driver(base_url=proxy.base_url, limits=limits_of(one))) as port,
            ):
                permit = Permit()
                with pytest.raises(one.driver) as failed:
                    await do(port, posting, permit)
                assert len(proxy.faulted) == 1
                assert permit.calls == 1
            assert failed.value.happened is None
            assert_holds_no_secret(failed.value, peer, proxy.requests)
            assert peer.count_documents(domain) == before
            assert await driver.inquire(posting) == ()


@pytest.mark.parametrize("name", LOST_ANSWERS)
async def test_a_posting_whose_answer_is_lost_is_found(
    peer: Peer, driver: ErpPort, name: str, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            async with (
                FaultProxy(peer.base_url, when=peer.is_posting, do=by_name(name).act, executed=True) as proxy,
                opened(peer.driver(base_url=proxy.base_url, limits=limits_of(by_name(name)))) as port,
            ):
                with pytest.raises((OutcomeUnknown, Garbled)):
                    await do(port, posting)
                assert len(proxy.faulted) == 1
                # The same driver asks, over the connections that it has left.
                found = await port.inquire(posting)
            assert len(found) == 1
            assert found[0].agrees_with(driver.expectation(posting))
            assert peer.count_documents(domain) == before + (operation is Operation.CREATE)


@pytest.mark.parametrize("name", SET_UP_FAULTS)
async def test_a_set_up_call_that_goes_wrong_posts_nothing_and_says_so(
    peer: Peer, driver: ErpPort, name: str, subtests: pytest.Subtests
) -> None:
    """Whatever a driver asks before it posts (a token, a CSRF token, the document): if that fails, nothing happened."""
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            first: list[SeenRequest] = []

            def is_first(request: SeenRequest, first: list[SeenRequest] = first) -> bool:
                first.append(request)
                return len(first) == 1 and not peer.is_posting(request)

            async with (
                FaultProxy(peer.base_url, when=is_first, do=by_name(name).act) as proxy,
                opened(peer.driver(base_url=proxy.base_url, limits=limits_of(by_name(name)))) as port,
            ):
                permit = Permit()
                outcome = await outcome_of(do(port, posting, permit))
                if isinstance(outcome, ErpError):
                    assert outcome.happened is False
                    assert permit.calls == 0
                    assert not any(peer.is_posting(seen) for seen in proxy.requests)
                    assert peer.count_documents(domain) == before
                    assert_holds_no_secret(outcome, peer, proxy.requests)
                    # Nothing of the failure is left in the driver.
                    await do(port, posting)
                assert peer.count_documents(domain) == before + (operation is Operation.CREATE)


@pytest.mark.parametrize("name", LOST_ANSWERS)
async def test_what_goes_wrong_after_the_posting_call_is_never_called_a_failure(
    peer: Peer, driver: ErpPort, name: str, subtests: pytest.Subtests
) -> None:
    """A commit or a reading back after the posting: the document may be there by then."""
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            posted: list[bool] = []

            def comes_after(request: SeenRequest, posted: list[bool] = posted) -> bool:
                posted.append(peer.is_posting(request))
                return any(posted[:-1])

            async with (
                FaultProxy(peer.base_url, when=comes_after, do=by_name(name).act) as proxy,
                opened(peer.driver(base_url=proxy.base_url, limits=limits_of(by_name(name)))) as port,
            ):
                outcome = await outcome_of(do(port, posting))
                if isinstance(outcome, ErpError):
                    assert outcome.happened is None
                    assert proxy.faulted
                assert sum(posted) == 1


@pytest.mark.parametrize(
    ("status", "act"),
    [
        (401, says(answer("401 Unauthorized", b"", 'WWW-Authenticate: Bearer error="invalid_token"'))),
        (403, says(answer("403 Forbidden", b"", "X-CSRF-Token: Required"))),
    ],
    ids=["token-expired", "csrf-token-lost"],
)
async def test_a_session_that_the_peer_forgot_is_renewed_or_nothing_happened(
    peer: Peer, driver: ErpPort, status: int, act: Act, subtests: pytest.Subtests
) -> None:
    """Both answers come before processing. One renewal is allowed, and each sending asks the permit."""
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            postings: list[SeenRequest] = []

            def is_first_posting(request: SeenRequest, postings: list[SeenRequest] = postings) -> bool:
                if peer.is_posting(request):
                    postings.append(request)
                return postings == [request]

            async with (
                FaultProxy(peer.base_url, when=is_first_posting, do=act) as proxy,
                opened(peer.driver(base_url=proxy.base_url, limits=PATIENT)) as port,
            ):
                permit = Permit()
                outcome = await outcome_of(do(port, posting, permit))
                happened = 1
                if isinstance(outcome, ErpError):
                    happened = 0
                    # To a driver that speaks no CSRF such an answer is as unknown as any other.
                    if status == 401 or any(one.header("x-csrf-token") for one in proxy.requests):
                        assert outcome.happened is False
                assert len(proxy.faulted) == 1
                assert permit.calls == len(postings) <= 2
            assert peer.count_documents(domain) == before + (happened if operation is Operation.CREATE else 0)
            assert len(await driver.inquire(posting)) == happened


@pytest.mark.parametrize("one", MISBEHAVIOURS, ids=lambda one: one.name)
async def test_readers_and_health_end_in_time_whatever_comes(
    peer: Peer, driver: ErpPort, one: Misbehaviour, subtests: pytest.Subtests
) -> None:
    domain = served(driver)[0]
    submission = peer.submission(domain, new_reference())
    async with (
        FaultProxy(peer.base_url, when=lambda _: True, do=one.act) as proxy,
        opened(peer.driver(base_url=proxy.base_url, limits=limits_of(one))) as port,
    ):
        health = await port.health()
        assert not health.ready
        assert health.detail
        with pytest.raises(ErpError) as failed:
            await port.inquire(submission)
        assert_holds_no_secret(failed.value, peer, proxy.requests)
        assert proxy.faulted
