"""Tokens: one fetch for many, renewal where it is proven that nothing was processed, and nowhere else."""

from __future__ import annotations

import asyncio
import base64
import contextlib

import pytest

from adapters.cloud_erp.sap_s4.session import Session, cookie_header
from adapters.errors import ErpError, Garbled, Misconfigured, NotSent, OutcomeUnknown
from adapters.transport import ErpRequest, ErpResponse
from tests.unit.sap_s4.scripted import (
    SETTINGS,
    TOKEN_PATH,
    Erp,
    ScriptedTransport,
    Step,
    as_json,
    csrf_required,
    html,
    problem,
)

GET = ErpRequest("GET", "/sap/opu/odata/sap/S/Set")
POST = ErpRequest("POST", "/sap/opu/odata/sap/S/Set", body=b"{}")
CSRF_PATH = "/sap/opu/odata/sap/S/"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Permits:
    def __init__(self, allowed: int = 99) -> None:
        self.calls = 0
        self._allowed = allowed

    def __call__(self) -> None:
        self.calls += 1
        if self.calls > self._allowed:
            raise LeaseLostError


class LeaseLostError(Exception):
    pass


def _session(answer: object, clock: Clock | None = None) -> tuple[Session, ScriptedTransport]:
    transport = ScriptedTransport(answer)  # type: ignore[arg-type]
    return Session(transport, SETTINGS, {"Accept": "application/json"}, CSRF_PATH, clock or Clock()), transport


def _ok(_: ErpRequest) -> Step:
    return as_json({"d": {}}, 201)


async def test_a_posting_carries_token_csrf_and_cookies() -> None:
    session, transport = _session(Erp(_ok))
    permits = Permits()
    assert (await session.write(POST, permits)).status == 201
    assert permits.calls == 1
    token, fetch, post = transport.seen[0], transport.seen[-2], transport.seen[-1]
    assert token.path == TOKEN_PATH
    assert token.body == b"grant_type=client_credentials"
    assert token.headers["Authorization"] == "Basic " + base64.b64encode(b"ID:s3cret").decode()
    assert fetch.headers["X-CSRF-Token"] == "Fetch"
    assert fetch.path == CSRF_PATH
    assert post.headers["Authorization"] == "Bearer sap-1"
    assert post.headers["X-CSRF-Token"] == "csrf-1"
    assert post.headers["Cookie"] == "SAP_SESSIONID_MCK_100=session-1; sap-usercontext=x"


async def test_fifty_at_once_fetch_one_of_each() -> None:
    erp = Erp(_ok)
    session, transport = _session(erp)
    await asyncio.gather(*(session.write(POST, Permits()) for _ in range(50)))
    assert (erp.access, erp.csrf) == (1, 1)
    assert transport.paths().count("POST Set") == 50


async def test_fifty_at_once_renew_once_and_nobody_is_sent_a_third_time() -> None:
    erp = Erp(_ok)
    session, transport = _session(erp)
    await session.write(POST, Permits())
    erp.access += 1  # revoked: the known token is refused from now on
    erp.csrf += 1
    await asyncio.gather(*(session.write(POST, Permits()) for _ in range(50)))
    assert transport.paths().count("POST token") == 2
    assert sum(one.headers.get("X-CSRF-Token") == "Fetch" for one in transport.seen) <= 3


async def test_all_who_wait_for_a_fetch_share_its_failure() -> None:
    session, transport = _session(lambda _: NotSent("refused"))
    results = await asyncio.gather(*(session.read(GET) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(result, NotSent) for result in results)
    assert len(transport.seen) == 1


async def test_who_is_cancelled_leaves_the_fetch_to_the_others() -> None:
    session, _ = _session(Erp(_ok))
    first, second = (asyncio.create_task(session.read(GET)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).status == 201
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_token_is_renewed_before_it_ends() -> None:
    clock, erp = Clock(), Erp(_ok, life_s=100)
    session, _ = _session(erp, clock)
    await session.read(GET)
    clock.now += 79.9
    await session.read(GET)
    assert erp.access == 1
    clock.now += 0.2  # a fifth of its life is the margin
    await session.read(GET)
    assert erp.access == 2


async def test_after_a_401_the_posting_is_sent_again_once_with_its_permit() -> None:
    erp = Erp(_ok)
    session, transport = _session(erp)
    await session.write(POST, Permits())
    erp.access += 1
    permits = Permits()
    assert (await session.write(POST, permits)).status == 201
    assert permits.calls == 2
    assert transport.paths()[-3:] == ["POST Set", "POST token", "POST Set"]


async def test_a_permit_that_has_ended_stops_the_second_sending() -> None:
    erp = Erp(_ok)
    session, transport = _session(erp)
    await session.write(POST, Permits())
    erp.access += 1
    with pytest.raises(LeaseLostError):
        await session.write(POST, Permits(allowed=1))
    assert transport.paths()[-2:] == ["POST Set", "POST token"]


async def test_a_system_that_refuses_its_own_tokens_is_misconfigured() -> None:
    session, transport = _session(Erp(lambda _: problem(401, "Authentication failed")))
    with pytest.raises(Misconfigured):
        await session.write(POST, Permits())
    assert transport.paths().count("POST Set") == 2
    with pytest.raises(Misconfigured):
        await session.read(GET)
    session, transport = _session(Erp(lambda _: csrf_required()))
    with pytest.raises(Misconfigured):
        await session.write(POST, Permits())
    assert transport.paths().count("POST Set") == 2


async def test_a_403_without_the_word_required_is_no_reason_to_send_again() -> None:
    for answer in (problem(403, "No authorization"), html(403)):
        session, transport = _session(Erp(lambda _, answer=answer: answer))  # type: ignore[misc]
        assert (await session.write(POST, Permits())).status == 403
        assert transport.paths().count("POST Set") == 1


@pytest.mark.parametrize("failure", [OutcomeUnknown("cut"), Garbled("not HTTP"), html(500), problem(503, "busy")])
async def test_a_posting_whose_answer_is_lost_is_never_sent_again(failure: Step) -> None:
    session, transport = _session(Erp(lambda _: failure))
    with contextlib.suppress(ErpError):
        assert (await session.write(POST, Permits())) is failure
    assert transport.paths().count("POST Set") == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (NotSent("refused"), NotSent),
        (OutcomeUnknown("timeout"), NotSent),
        (Garbled("not HTTP"), Misconfigured),
        (html(502), NotSent),
        (html(429), NotSent),
        (as_json({"error": "invalid_client"}, 401), Misconfigured),
        (html(200), Misconfigured),
        (html(404), Misconfigured),
        (as_json({}), Misconfigured),
        (as_json({"access_token": "a\r\nX: y", "token_type": "Bearer"}), Misconfigured),
        (as_json({"access_token": "a", "token_type": "mac"}), Misconfigured),
        (as_json({"access_token": ["a"], "token_type": "Bearer"}), Misconfigured),
    ],
)
async def test_whatever_fails_before_the_posting_says_that_nothing_was_posted(
    answer: Step, error: type[ErpError]
) -> None:
    session, transport = _session(lambda _: answer)
    permits = Permits()
    with pytest.raises(error) as failed:
        await session.write(POST, permits)
    assert failed.value.happened is False
    assert permits.calls == 0
    assert "s3cret" not in str(failed.value)
    assert len(transport.seen) == 1


@pytest.mark.parametrize(
    "answer", [OutcomeUnknown("timeout"), html(500), html(404), as_json({}, headers={"x-csrf-token": "a b"})]
)
async def test_a_csrf_fetch_that_fails_says_that_nothing_was_posted(answer: Step) -> None:
    def erp(request: ErpRequest) -> Step:
        if request.path == TOKEN_PATH:
            return as_json({"access_token": "t", "token_type": "bearer"})
        return answer

    session, _ = _session(erp)
    with pytest.raises((NotSent, Misconfigured)):
        await session.write(POST, Permits())


async def test_a_system_without_the_csrf_check_is_sent_none() -> None:
    def erp(request: ErpRequest) -> Step:
        if request.path == TOKEN_PATH:
            return as_json({"access_token": "t", "token_type": "bearer"})
        return as_json({"d": {}}, 201 if request.method == "POST" else 200)

    session, transport = _session(erp)
    assert (await session.write(POST, Permits())).status == 201
    assert "X-CSRF-Token" not in transport.seen[-1].headers
    assert "Cookie" not in transport.seen[-1].headers


def test_cookies() -> None:
    assert cookie_header(()) == ""
    assert cookie_header(("a=1; path=/", "b=; HttpOnly", "a=2")) == "a=2; b="
    assert cookie_header(("=x", "no cookie", 'c="q"; Secure', "d=1\r\nX: y")) == 'c="q"; d=1'


async def test_closing_ends_a_fetch() -> None:
    started = asyncio.Event()

    class Slow:
        async def send(self, request: ErpRequest, permit: object = None) -> ErpResponse:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def aclose(self) -> None:
            pass

    session = Session(Slow(), SETTINGS, {}, CSRF_PATH)
    waiting = asyncio.create_task(session.read(GET))
    await started.wait()
    await session.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
