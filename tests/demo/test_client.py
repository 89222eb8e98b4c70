"""The caller against a scripted gateway (no sockets): it repeats with the same key until it knows."""

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from gateway.demo import client as module
from gateway.demo.client import Caller, OutOfTime
from gateway.demo.load import LoadOptions, load
from gateway.demo.northwind import Northwind, load_northwind

Answer = Callable[[httpx.Request], httpx.Response]
ORDER = load_northwind().orders[0]


def _wire(status: str, **more: Any) -> dict[str, Any]:
    return {"transactionId": "txn_1", "status": status, "statusUrl": "/v1/transactions/txn_1", **more}


class Script:
    """Answers in their order; the last one for ever."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.001)


@pytest.fixture
async def caller_of() -> AsyncIterator[Callable[[Script], Caller]]:
    opened: list[httpx.AsyncClient] = []

    def make(script: Script, limit_s: float = 30.0) -> Caller:
        http = httpx.AsyncClient(transport=httpx.MockTransport(script), base_url="http://gateway.test")
        opened.append(http)
        return Caller(http, "token", key_prefix="k", ends_at=time.monotonic() + limit_s)

    yield make
    for http in opened:
        await http.aclose()


async def test_one_answer_is_enough(caller_of: Callable[[Script], Caller]) -> None:
    script = Script(httpx.Response(201, json=_wire("posted")))
    outcome = await caller_of(script).send(ORDER)
    assert outcome.posted
    assert outcome.tries == 1
    (request,) = script.requests
    assert request.url.path == "/v1/orders"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["idempotency-key"] == "k:orders:10248"
    assert json.loads(request.content)["totals"]["grossAmount"] == "440.00"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.ReadTimeout("late"),
        httpx.Response(503, json={"code": "not-ready"}),
        httpx.Response(503, headers={"retry-after": "0"}, json={"code": "erp-unavailable"}),
        httpx.Response(429, headers={"retry-after": "0"}, json={"code": "rate-limited"}),
        httpx.Response(500, text="no JSON"),
        httpx.Response(409, json={"code": "in-flight"}),
    ],
)
async def test_the_same_request_again(
    caller_of: Callable[[Script], Caller], trouble: httpx.Response | Exception
) -> None:
    script = Script(trouble, trouble, httpx.Response(201, json=_wire("posted")))
    outcome = await caller_of(script).send(ORDER)
    assert outcome.posted
    assert outcome.tries == 3
    assert len({(one.headers["idempotency-key"], one.content) for one in script.requests}) == 1


async def test_202_is_followed_to_its_end(caller_of: Callable[[Script], Caller]) -> None:
    script = Script(
        httpx.Response(202, json=_wire("dispatched")),
        httpx.ConnectError("restarting"),
        httpx.Response(200, json=_wire("unknown")),
        httpx.Response(200, json=_wire("posted", erpReference="REF")),
    )
    caller = caller_of(script)
    outcome = await caller.settle(await caller.send(ORDER))
    assert outcome.posted
    assert outcome.body["erpReference"] == "REF"
    assert {request.url.path for request in script.requests[1:]} == {"/v1/transactions/txn_1"}


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422])
async def test_a_refusal_is_an_end(caller_of: Callable[[Script], Caller], status: int) -> None:
    script = Script(httpx.Response(status, json={"code": "invalid-document", "detail": "no", "status": status}))
    outcome = await caller_of(script).send(ORDER)
    assert outcome.status == "refused"
    assert outcome.resting
    assert outcome.complaint == "invalid-document no"
    assert len(script.requests) == 1


async def test_what_the_erp_refused_is_rejected(caller_of: Callable[[Script], Caller]) -> None:
    body = _wire("x", code="rejected-by-erp", detail="credit limit", transactionStatus="rejected") | {"status": 422}
    outcome = await caller_of(Script(httpx.Response(422, json=body))).send(ORDER)
    assert outcome.status == "rejected"
    assert outcome.resting
    assert outcome.complaint == "rejected-by-erp credit limit"


async def test_there_is_a_limit(caller_of: Callable[..., Caller]) -> None:
    caller = caller_of(Script(httpx.ConnectError("refused")), limit_s=0.05)
    with pytest.raises(OutOfTime):
        await caller.send(ORDER)


async def test_load_sends_parents_first_and_skips_children_of_what_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = load_northwind()
    some = Northwind(whole.customers[:3], whole.products[:2], whole.lineages[:4])
    answered: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        external_id = json.loads(request.content)["externalId"]
        source = "billing" if request.url.path in {"/v1/invoices", "/v1/payments"} else "salesforce"
        assert request.headers["authorization"] == f"Bearer {source} token"
        answered.append(external_id)
        if external_id == some.orders[1].external_id:
            return httpx.Response(422, json={"code": "invalid-document", "status": 422})
        return httpx.Response(201, json=_wire("posted"))

    real = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **more: real(transport=httpx.MockTransport(answer), **more))
    tokens = {"salesforce": "salesforce token", "billing": "billing token"}
    ended: list[str] = []
    report = await load(
        some,
        LoadOptions("http://gateway.test", tokens, in_flight=2),
        lambda outcome: ended.append(outcome.external_id),
    )
    assert len(report.outcomes) == len(ended) == 3 + 2 + 3 * 4
    assert {one.status for one in report.failures} == {"refused", "not_sent"}
    assert len(report.failures) == 3
    for lineage in some.lineages[2:]:
        assert lineage.invoice is not None
        assert lineage.payment is not None
        places = [answered.index(str(one.external_id)) for one in (lineage.order, lineage.invoice, lineage.payment)]
        assert places == sorted(places)
    assert set(answered[:5]) == {"ALFKI", "ANATR", "ANTON", "1", "2"}
