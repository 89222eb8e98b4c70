"""What a driver makes of a peer that refuses, fails, or is not there: did it happen, and may the caller believe it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace

import pytest

from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown
from adapters.port import ErpPort, FoundDocument, Operation, Posting
from tests.contract.conftest import QUICK, Permit, allow, assert_holds_no_secret, new_reference, opened, served
from tests.contract.peer import Fault, Peer
from tests.contract.postings import do, postings_seen, prepared, promised
from tests.wire.peer import nobody, until
from tests.wire.proxy import FaultProxy


class LeaseLost(Exception):
    """What the gateway's permit may raise; no class of `adapters.errors`."""


async def test_wrong_credentials_are_misconfigured(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            async with opened(peer.driver(wrong_credentials=True)) as stranger:
                for call in (do(stranger, posting), stranger.inquire(posting)):
                    with pytest.raises(Misconfigured) as refused:
                        await call
                    assert_holds_no_secret(refused.value, peer)
                health = await stranger.health()
                assert not health.ready
                assert health.detail
                assert not any(secret in health.detail for secret in peer.secrets)
            assert peer.count_documents(domain) == before
            assert await driver.inquire(posting) == ()


async def test_a_peer_that_is_down_was_sent_nothing(peer: Peer, driver: ErpPort, subtests: pytest.Subtests) -> None:
    async with nobody() as address, opened(peer.driver(base_url=address)) as lonely:
        for domain, operation in promised(driver):
            with subtests.test(domain, operation=operation.value):
                posting = await prepared(peer, driver, domain, operation)
                permit = Permit()
                with pytest.raises(NotSent) as failed:
                    await do(lonely, posting, permit)
                assert permit.calls == 0
                assert_holds_no_secret(failed.value, peer)
                with pytest.raises(ErpError):
                    await lonely.inquire(posting)
        assert not (await lonely.health()).ready


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.LOCKED, Fault.SERVER_ERROR], ids=str)
async def test_busy_and_locked_did_not_happen_and_other_server_errors_are_unknown(
    peer: Peer, driver: ErpPort, fault: Fault, subtests: pytest.Subtests
) -> None:
    allowed = (OutcomeUnknown, Garbled) if fault is Fault.SERVER_ERROR else (NotSent,)
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            postings = postings_seen(peer)
            with peer.fault(fault, domain, operation) as possible:
                if not possible:
                    continue
                permit = Permit()
                with pytest.raises(allowed) as failed:
                    await do(driver, posting, permit)
            assert permit.calls == 1
            assert postings_seen(peer) == postings + 1
            assert peer.count_documents(domain) == before
            assert await driver.inquire(posting) == ()
            assert_holds_no_secret(failed.value, peer)
            # The next one goes through: no state of the failed call is left.
            assert (await do(driver, posting)).number in [one.number for one in await driver.inquire(posting)]


async def test_a_call_that_the_peer_executes_after_we_left_is_unknown_and_found_later(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    hasty = replace(QUICK, total_s=peer.late_s * 0.4)
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            before = peer.count_documents(domain)
            with peer.fault(Fault.LATE, domain, operation) as possible:
                if not possible:
                    continue
                begun = time.monotonic()
                async with opened(peer.driver(limits=hasty)) as leaver:
                    with pytest.raises(OutcomeUnknown):
                        await _sent(leaver, posting)
                # Not found is not proof: the call is still running over there, unless the machine was too slow to ask.
                found = await driver.inquire(posting)
                assert found == () or time.monotonic() - begun > peer.late_s
            found = await _found_in_time(driver, posting, peer.late_s + 60)
            assert len(found) == 1
            assert found[0].agrees_with(driver.expectation(posting))
            assert peer.count_documents(domain) == before + (operation is Operation.CREATE)


async def _sent(port: ErpPort, posting: Posting) -> None:
    """Do it. On a busy machine what comes before the posting may take all the time: nothing was sent then, and it is
    done once more."""
    async with asyncio.timeout(60):
        while True:
            try:
                await do(port, posting)
            except NotSent:
                continue
            return


async def _found_in_time(driver: ErpPort, posting: Posting, within_s: float) -> tuple[FoundDocument, ...]:
    """What an inquiry finds at last; TimeoutError if that stays nothing."""
    async with asyncio.timeout(within_s):
        # The peer sets no event when it is done.
        while not (found := await driver.inquire(posting)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return found


async def test_permit_that_refuses_leaves_nothing_and_is_let_through(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            async with FaultProxy(peer.base_url) as proxy, opened(peer.driver(base_url=proxy.base_url)) as port:
                before = peer.count_documents(domain)
                refusal = LeaseLost("held by another process")
                permit = Permit(refusal)
                with pytest.raises(LeaseLost) as heard:
                    await do(port, posting, permit)
                assert heard.value is refusal
                assert permit.calls == 1
                assert not any(peer.is_posting(seen) for seen in proxy.requests)
                assert peer.count_documents(domain) == before
            assert await driver.inquire(posting) == ()


async def test_permit_is_asked_after_the_set_up_and_before_the_posting(
    peer: Peer, driver: ErpPort, subtests: pytest.Subtests
) -> None:
    for domain, operation in promised(driver):
        with subtests.test(domain, operation=operation.value):
            posting = await prepared(peer, driver, domain, operation)
            async with FaultProxy(peer.base_url) as proxy, opened(peer.driver(base_url=proxy.base_url)) as port:
                seen_by_then: list[int] = []
                permit = Permit(on_call=lambda: seen_by_then.append(len(proxy.requests)))  # noqa: B023
                await do(port, posting, permit)
                assert permit.calls == 1
                [asked_after] = seen_by_then
                assert [peer.is_posting(one) for one in proxy.requests].index(True) == asked_after
                assert sum(peer.is_posting(one) for one in proxy.requests) == 1
                # A change states what shall be, so it is made of what is there.
                assert asked_after > 0 or operation not in {Operation.CHANGE, Operation.CANCEL}


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
