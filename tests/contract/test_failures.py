"""What a driver makes of a peer that refuses, fails, or is not there: did it happen, and may the caller believe it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown
from adapters.port import ErpPort
from tests.contract.conftest import QUICK, Permit, allow, assert_holds_no_secret, new_reference, opened, served
from tests.contract.peer import Fault, Peer
from tests.wire.peer import nobody, until
from tests.wire.proxy import FaultProxy


class LeaseLost(Exception):
    """What the gateway's permit may raise; no class of `adapters.errors`."""


async def test_wrong_credentials_are_misconfigured(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            before = peer.count_documents(domain)
            async with opened(peer.driver(wrong_credentials=True)) as stranger:
                for call in (stranger.submit(submission, allow), stranger.inquire(submission)):
                    with pytest.raises(Misconfigured) as refused:
                        await call
                    assert_holds_no_secret(refused.value, peer)
                health = await stranger.health()
                assert not health.ready
                assert health.detail
                assert not any(secret in health.detail for secret in peer.secrets)
            assert peer.count_documents(domain) == before


async def test_a_peer_that_is_down_was_sent_nothing(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    async with nobody() as address, opened(peer.driver(base_url=address)) as lonely:
        for domain in served(driver):
            with subtests.test(domain):
                permit = Permit()
                with pytest.raises(NotSent) as failed:
                    await lonely.submit(peer.submission(domain, new_reference()), permit)
                assert permit.calls == 0
                assert_holds_no_secret(failed.value, peer)
                with pytest.raises(ErpError):
                    await lonely.inquire(peer.submission(domain, new_reference()))
        assert not (await lonely.health()).ready


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.LOCKED, Fault.SERVER_ERROR], ids=str)
async def test_busy_and_locked_did_not_happen_and_other_server_errors_are_unknown(
    peer: Peer, driver: ErpPort, fault: Fault, subtests: pytest.Subtests
) -> None:
    allowed = (OutcomeUnknown, Garbled) if fault is Fault.SERVER_ERROR else (NotSent,)
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            before = peer.count_documents(domain)
            postings = _postings(peer)
            with peer.fault(fault, domain) as possible:
                if not possible:
                    continue
                permit = Permit()
                with pytest.raises(allowed) as failed:
                    await driver.submit(submission, permit)
            assert permit.calls == 1
            assert _postings(peer) == postings + 1
            assert peer.count_documents(domain) == before
            assert_holds_no_secret(failed.value, peer)
            # The next one goes through: no state of the failed call is left.
            assert (await driver.submit(submission, allow)).number in [
                one.number for one in await driver.inquire(submission)
            ]


def _postings(peer: Peer) -> int:
    return sum(peer.is_posting(seen) for seen in peer.requests_seen())


async def test_a_call_that_the_peer_executes_after_we_left_is_unknown_and_found_later(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    hasty = replace(QUICK, total_s=peer.late_s * 0.4)
    for domain in served(driver):
        with subtests.test(domain):
            submission = peer.submission(domain, new_reference())
            before = peer.count_documents(domain)
            with peer.fault(Fault.LATE, domain) as possible:
                if not possible:
                    continue
                async with opened(peer.driver(limits=hasty)) as leaver:
                    with pytest.raises(OutcomeUnknown):
                        await leaver.submit(submission, allow)
                # Not found is not proof: the call is still running over there.
                assert await driver.inquire(submission) == ()
            await until(lambda: peer.count_documents(domain) > before, within_s=peer.late_s + 10)  # noqa: B023
            found = await driver.inquire(submission)
            assert len(found) == 1
            assert found[0].agrees_with(driver.expectation(submission))
            assert peer.count_documents(domain) == before + 1


async def test_a_permit_that_refuses_is_heard_and_nothing_is_posted(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            async with FaultProxy(peer.base_url) as proxy, opened(peer.driver(base_url=proxy.base_url)) as port:
                before = peer.count_documents(domain)
                refusal = LeaseLost("held by another process")
                permit = Permit(refusal)
                with pytest.raises(LeaseLost) as heard:
                    await port.submit(peer.submission(domain, new_reference()), permit)
                assert heard.value is refusal
                assert permit.calls == 1
                assert not any(peer.is_posting(seen) for seen in proxy.requests)
                assert peer.count_documents(domain) == before


async def test_permit_is_asked_after_the_set_up_and_before_the_posting(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            async with FaultProxy(peer.base_url) as proxy, opened(peer.driver(base_url=proxy.base_url)) as port:
                seen_by_then: list[bool] = []
                permit = Permit(
                    on_call=lambda: seen_by_then.extend(peer.is_posting(one) for one in proxy.requests)  # noqa: B023
                )
                await port.submit(peer.submission(domain, new_reference()), permit)
                assert permit.calls == 1
                assert not any(seen_by_then)
                assert sum(peer.is_posting(one) for one in proxy.requests) == 1


async def test_a_full_pool_sends_nothing(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain in served(driver):
        with subtests.test(domain):
            narrow = replace(QUICK, total_s=peer.late_s + 10, pool=1, pool_wait_s=0.2)
            async with (
                FaultProxy(peer.base_url) as proxy,
                opened(peer.driver(base_url=proxy.base_url, limits=narrow)) as port,
            ):
                # Set-up first, so that the pool is filled by a posting.
                await port.inquire(peer.submission(domain, new_reference()))
                with peer.fault(Fault.LATE, domain) as possible:
                    if not possible:
                        continue
                    first = asyncio.create_task(port.submit(peer.submission(domain, new_reference()), allow))
                    await until(lambda: any(peer.is_posting(one) for one in proxy.requests))
                    permit = Permit()
                    with pytest.raises(NotSent):
                        await port.submit(peer.submission(domain, new_reference()), permit)
                    await first
                assert permit.calls == 0
                assert sum(peer.is_posting(one) for one in proxy.requests) == 1


async def test_cancelling_a_submission_is_not_swallowed(peer: Peer, driver: ErpPort) -> None:
    domain = served(driver)[0]
    before = peer.count_documents(domain)
    async with FaultProxy(peer.base_url) as proxy, opened(peer.driver(base_url=proxy.base_url)) as port:
        with peer.fault(Fault.LATE, domain) as possible:
            if not possible:
                return
            call = asyncio.create_task(port.submit(peer.submission(domain, new_reference()), allow))
            await until(lambda: any(peer.is_posting(one) for one in proxy.requests))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
    # The peer may or may not go on; wait for it, so that the next test counts from rest.
    with contextlib.suppress(TimeoutError):
        await until(lambda: peer.count_documents(domain) > before, within_s=peer.late_s + 0.5)
