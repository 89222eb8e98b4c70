"""The ERPs' own OData V2 interface, as a person with a browser would use it: not through our drivers.

Source: OData 2.0 JSON format (`d.results`); service and entity names of the SAP Business Accelerator Hub.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import httpx

from gateway.demo.erps import LEGACY, Erp

SERVICES: Final = "/sap/opu/odata/sap"
_TOKEN: Final = "/sap/bc/sec/oauth2/token"  # noqa: S105 - an address, not a token
_PAGE: Final = 200
_TIMEOUT_S: Final = 60.0
"""Of one call, in seconds; a page of documents with their items takes about one."""

Entity = Mapping[str, Any]


class OdataError(RuntimeError):
    """The ERP answered something else than what was asked for."""


class Odata:
    """A session with one ERP's OData services."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def create(self, service: str, entity_set: str, body: Entity) -> Entity:
        """POST one entity; the entity as the ERP made it. Raises `OdataError`, httpx.TransportError."""
        response = await self._client.post(f"{SERVICES}/{service}/{entity_set}", json=body)
        return _entity(response, 201)

    async def merge(self, service: str, path: str, body: Entity) -> None:
        """Change some properties of one entity. Raises `OdataError`, httpx.TransportError."""
        response = await self._client.request("MERGE", f"{SERVICES}/{service}/{path}", json=body)
        if response.status_code != 204:
            raise OdataError(_complaint(response))

    async def all(self, service: str, entity_set: str, *, orderby: str, expand: str = "") -> list[Entity]:
        """Every entity of a set, page by page; `orderby` is its key, without which pages could overlap."""
        found: list[Entity] = []
        while True:
            query = {"$format": "json", "$orderby": orderby, "$top": str(_PAGE), "$skip": str(len(found))}
            if expand:
                query["$expand"] = expand
            page = _results(_entity(await self._client.get(f"{SERVICES}/{service}/{entity_set}", params=query), 200))
            found.extend(page)
            if len(page) < _PAGE:
                return found


@asynccontextmanager
async def session(erp: Erp) -> AsyncIterator[Odata]:
    """Log in: Basic at the legacy ERP, OAuth2 client credentials at the cloud's."""
    limits = httpx.Limits(max_connections=8)
    async with httpx.AsyncClient(
        base_url=erp.base_url,
        limits=limits,
        timeout=_TIMEOUT_S,
        trust_env=False,
        headers={"Accept": "application/json"},
    ) as client:
        if erp.system_id == LEGACY:
            client.auth = httpx.BasicAuth(*erp.auth)
        else:
            grant = {"grant_type": "client_credentials"}
            response = await client.post(_TOKEN, data=grant, auth=httpx.BasicAuth(*erp.auth))
            if response.status_code != 200:
                raise OdataError(_complaint(response))
            client.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
        yield Odata(client)


def expanded(entity: Entity, navigation: str) -> list[Entity]:
    """The entities that `$expand` put into another one."""
    return _results(entity[navigation])


def day(literal: str | None) -> date | None:
    """A V2 date, `/Date(836438400000)/`: milliseconds since 1970 UTC."""
    if not literal:
        return None
    millis = int(literal.removeprefix("/Date(").removesuffix(")/"))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)).date()


def _entity(response: httpx.Response, expected: int) -> Entity:
    if response.status_code != expected:
        raise OdataError(_complaint(response))
    try:
        # Amounts are strings in V2; should one come as a number, it must not pass through a binary double.
        body = json.loads(response.content, parse_float=str)["d"]
    except (ValueError, KeyError, TypeError) as error:
        raise OdataError(f"{response.request.url.path} answered no OData") from error
    if not isinstance(body, dict):
        raise OdataError(f"{response.request.url.path} answered no OData")
    return body


def _results(body: Entity) -> list[Entity]:
    results = body.get("results")
    if not isinstance(results, list):
        raise OdataError("the answer holds no results")
    return results


def _complaint(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text[:300]}"
