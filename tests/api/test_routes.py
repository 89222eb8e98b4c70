"""No address without a decision: a token and its scope, or a place on the list of public ones."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from adapters.canonical import DOMAINS
from gateway.api.guard import Guard
from gateway.app import create_app
from gateway.auth import Identity
from gateway.domain.caller import SCOPES, DataScope
from tests.api.conftest import HttpClient, World, asgi_request
from tests.api.fakes import an_id

PUBLIC = {"/health/live", "/health/ready", "/openapi.json", "/problems/{slug}"}

SCOPES_OF = {
    **{("POST", f"/v1/{domain}"): {"documents:submit"} for domain in DOMAINS},
    **{("GET", f"/v1/{domain}{tail}"): {"documents:read"} for domain in DOMAINS for tail in ("", "/{documentId}")},
    **{
        (method, f"/v1/{domain}/{{documentId}}{tail}"): {"documents:submit"}
        for method, tail, domains in (
            ("PATCH", "", ("customers", "products", "orders", "contracts")),
            ("POST", "/cancel", ("orders", "contracts", "invoices", "payments", "journal_entries")),
            ("POST", "/reverse", ("invoices", "payments", "journal_entries")),
        )
        for domain in domains
    },
    ("GET", "/v1/capabilities"): {"documents:read"},
    ("GET", "/v1/transactions"): {"documents:read"},
    ("GET", "/v1/transactions/{transactionId}"): {"documents:read", "documents:submit"},
    ("GET", "/v1/transactions/{transactionId}/trace"): {"documents:read", "ledger:read"},
    ("GET", "/v1/lineages/{lineageId}"): {"documents:read", "ledger:read"},
    **{
        ("GET", f"/v1/ledger/{path}"): {"ledger:read"}
        for path in (
            "traces",
            "lineages/{lineageId}",
            "entries",
            "entries.csv",
            "entries.jsonl",
            "summary",
            "unended",
            "access",
            "queries",
            "questions/where-stuck",
            "questions/why-failed",
            "questions/events-told",
            "questions/waiting-documents",
            *(
                f"views/{view}{form}"
                for view in ("cycle-time", "recovery-time", "complete-traces", "invoice-accuracy", "api-use")
                for form in ("", ".csv")
            ),
        )
    },
    ("POST", "/v1/ledger/completeness"): {"ledger:read", "documents:submit"},
    ("POST", "/v1/ledger/evidence"): {"ledger:read"},
    ("GET", "/v1/ledger/log/checkpoint"): {"ledger:read"},
    ("GET", "/v1/ledger/log/keys/{keyNumber}"): {"ledger:read"},
    ("GET", "/v1/ledger/log/tile/{tile}"): {"ledger:read"},
    ("GET", "/v1/transactions/{transactionId}/receipts"): {"documents:read", "ledger:read"},
    ("GET", "/v1/routing/explain"): {"documents:read", "rules:edit", "operations:act"},
    ("GET", "/metrics"): {"operations:act"},
    ("GET", "/v1/queues"): {"ledger:read", "operations:act"},
    **{
        ("GET", path): {"ledger:read", "rules:edit", "rules:approve", "rules:activate", "rules:waive"}
        for path in ("/v1/drafts", "/v1/drafts/{draftId}", "/v1/rulebooks", "/v1/rulebooks/{activationNumber}")
    },
    ("POST", "/v1/drafts"): {"rules:edit"},
    ("PUT", "/v1/drafts/{draftId}"): {"rules:edit"},
    ("POST", "/v1/drafts/{draftId}/discard"): {"rules:edit"},
    ("POST", "/v1/drafts/{draftId}/approve"): {"rules:approve"},
    ("POST", "/v1/drafts/{draftId}/waive"): {"rules:waive"},
    ("POST", "/v1/drafts/{draftId}/activate"): {"rules:activate"},
    ("POST", "/v1/drafts/{draftId}/withdraw"): {"rules:activate"},
    ("POST", "/v1/cutover/slices/{slice}/rollback"): {"rules:activate"},
    **{
        ("POST", f"/v1/ledger/{path}"): {"operations:act"}
        for path in ("erasures", "erasures/{erasureId}/approve", "holds", "holds/{holdId}/lift")
    },
    **{
        ("GET", f"/v1/ledger/{path}"): {"ledger:read", "operations:act"}
        for path in ("erasures/{erasureId}", "retention", "holds", "holds/{holdId}")
    },
    ("GET", "/v1/cutover/slices"): {"ledger:read"},
    ("POST", "/v1/cutover/adoptions"): {"operations:act"},
    ("POST", "/v1/cutover/adoptions/{adoptionId}/approve"): {"operations:act"},
    ("GET", "/v1/cutover/adoptions/{adoptionId}"): {"ledger:read", "operations:act"},
    **{
        ("GET", f"/v1/cutover/{path}"): {"ledger:read", "operations:act"}
        for path in ("overlays", "overlays/{overlayId}", "periods")
    },
    **{
        ("POST", f"/v1/cutover/{path}"): {"operations:act"}
        for path in (
            "overlays",
            "overlays/{overlayId}/lift",
            "periods/{companyCode}/{period}/close",
            "periods/{companyCode}/{period}/reopen",
        )
    },
    **{
        ("GET", f"/v1/exceptions{tail}"): {"ledger:read", "operations:act"}
        for tail in ("", "/{exceptionId}", "/bulk-moves/{bulkId}")
    },
    **{
        ("POST", f"/v1/exceptions/{tail}"): {"operations:act"}
        for tail in (
            "{exceptionId}/claim",
            "{exceptionId}/moves",
            "{exceptionId}/moves/{moveId}/approve",
            "bulk-moves",
            "bulk-moves/{bulkId}/run",
        )
    },
    ("PUT", "/v1/exceptions/{exceptionId}/owner"): {"operations:act"},
    ("POST", "/v1/batches"): {"documents:submit"},
    ("POST", "/v1/events/replays"): {"documents:read", "ledger:read"},
    **{("GET", f"/v1/batches/{{batchId}}{tail}"): {"documents:submit", "documents:read"} for tail in ("", "/results")},
    ("GET", "/v1/cutover/slices/{slice}"): {"ledger:read"},
    ("GET", "/v1/cutover/slices/{slice}/lineages"): {"ledger:read"},
    ("GET", "/v1/cutover/slices/{slice}/gates"): {"ledger:read"},
    **{
        ("GET", path): {"ledger:read", "rules:edit", "rules:approve"}
        for path in (
            "/v1/drafts/{draftId}/simulations",
            "/v1/simulations/{simulationId}",
            "/v1/simulations/{simulationId}/report",
            "/v1/drafts/{draftId}/dark",
        )
    },
    **{("POST", f"/v1/drafts/{{draftId}}/{tail}"): {"rules:edit"} for tail in ("simulations", "dark", "dark/end")},
    ("GET", "/v1/transactions/{transactionId}/explanation"): {
        "documents:read",
        "ledger:read",
        "rules:edit",
        "operations:act",
    },
}


def _walk(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path} is no plain HTTP route: say here how it is guarded"
        for method in route.route_handler_map:
            yield method, route.path_format


def _address(path: str) -> str:
    return (
        path.replace("{documentId}", an_id("doc", 1))
        .replace("{transactionId}", an_id("txn", 1))
        .replace("{lineageId}", an_id("lin", 1))
        .replace("{slug}", "frozen")
        .replace("{draftId}", an_id("drf", 1))
        .replace("{simulationId}", an_id("sim", 1))
        .replace("{adoptionId}", an_id("adp", 1))
        .replace("{activationNumber}", "1")
        .replace("{slice}", "orders.Western.US")
        .replace("{overlayId}", an_id("ovl", 1))
        .replace("{exceptionId}", an_id("exc", 1))
        .replace("{moveId}", an_id("mov", 1))
        .replace("{bulkId}", an_id("blk", 1))
        .replace("{batchId}", an_id("bat", 1))
        .replace("{companyCode}", "NW01")
        .replace("{period}", "2026-11")
        .replace("{keyNumber}", "1")
        .replace("{tile}", "0/000")
    )


ROUTES = sorted(set(_walk(create_app(World().parts()))))


def test_every_route_is_listed_here() -> None:
    named = {(method, path) for method, path in ROUTES if method != "OPTIONS"}
    assert named == set(SCOPES_OF) | {("GET", path) for path in PUBLIC}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_token_is_demanded_or_the_route_is_public(client: HttpClient, method: str, path: str) -> None:
    answer = await client.request(method, _address(path))
    if path in PUBLIC and method == "GET":
        assert answer.status_code == 200
        return
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="erp-gateway"'
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_bad_token_is_refused(client: HttpClient, method: str, path: str) -> None:
    answer = await client.request(method, _address(path), headers={"Authorization": "Bearer a.b.c"})
    if path in PUBLIC and method == "GET":
        assert answer.status_code == 200
        return
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path"), sorted(SCOPES_OF))
async def test_scopes(client: HttpClient, world: World, method: str, path: str) -> None:
    wanted = SCOPES_OF[method, path]
    refused = await client.request(method, _address(path), headers=world.token(*(SCOPES - wanted)))
    assert refused.status_code == 403
    assert refused.json()["requiredScopes"] == sorted(wanted)
    assert "insufficient_scope" in refused.headers["www-authenticate"]
    for scope in wanted:
        answer = await client.request(method, _address(path), headers=world.token(scope))
        assert answer.status_code not in {401, 403}


async def test_tokens_are_checked_on_the_event_loop(world: World) -> None:
    """The framework runs a synchronous guard in a pool of threads, which costs a change of thread for each request."""
    threads: list[int] = []

    class Noting:
        async def authenticate(self, authorization: bytes | None) -> Identity:
            threads.append(threading.get_ident())
            return await world.issuer.verifier().authenticate(authorization)

    parts = replace(world.parts(), authenticator=Noting())
    headers = [*world.token().items(), ("Host", "x")]
    before = threading.active_count()
    status, _ = await asgi_request(world, "GET", "/v1/orders", headers, parts=parts)
    assert status == 200
    assert threads == [threading.get_ident()]
    assert threading.active_count() == before
    assert inspect.iscoroutinefunction(Guard.__call__)


async def test_a_token_without_nodes_sees_and_submits_nothing(
    client: HttpClient, world: World, order: dict[str, Any]
) -> None:
    nobody = world.token(data=DataScope(frozenset(), frozenset()))
    assert (await client.post("/v1/orders", json=order, headers=nobody)).status_code == 403
    assert (await client.get("/v1/transactions", headers=nobody)).json()["items"] == []
    assert world.line.seen == []


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one[0] != "OPTIONS"])
async def test_unknown_query_parameters_are_refused(client: HttpClient, world: World, method: str, path: str) -> None:
    answer = await client.request(method, _address(path) + "?nonsense=1", headers=world.token())
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "nonsense"
    assert "known" in answer.json()["errors"][0]["remedy"].lower()


async def test_metrics_can_be_opened_for_a_scraper(world: World) -> None:
    async with world.client(metrics_public=True) as client:
        assert (await client.get("/metrics")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v2/orders", "/v1/orders/x/y", "/v1/hats", "/docs", "/schema"])
async def test_other_addresses_do_not_exist(client: HttpClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


async def test_other_methods(client: HttpClient, world: World) -> None:
    answer = await client.delete("/v1/orders", headers=world.token())
    assert answer.status_code == 405
    assert answer.json()["allowedMethods"] == ["GET", "OPTIONS", "POST"]
    assert answer.headers["allow"] == "GET, OPTIONS, POST"


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/doc_01KB2V6Q8T3N4M5P6R7S8V9W0X"])
async def test_options_name_every_method(client: HttpClient, world: World, path: str) -> None:
    answer = await client.options(path, headers=world.token())
    assert answer.status_code == 204
    refused = await client.delete(path, headers=world.token())
    assert answer.headers["allow"] == refused.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/v1/orders/", "/v1//orders", "//v1/orders", f"/v1/orders/{an_id('doc', 1)}/", "/health/live/", "/v1/"]
)
async def test_an_empty_segment_is_no_address(client: HttpClient, world: World, path: str) -> None:
    """The framework reads it as if it were not there: one resource would have many addresses, and a proxy that compares
    addresses would see another one than we do."""
    answer = await client.get("http://testserver.local" + path, headers=world.token())
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
