"""The log's files as a running gateway serves them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Final, Self

import httpx

from gateway.cli.console import Failure
from gateway.domain.months import Month, NoMonth
from gateway.ledger.bundles import MAX_BUNDLE_BYTES
from gateway.ledger.errors import BundleArchived, Malformed
from gateway.ledger.tiles import Tile

PATH: Final = "/v1/ledger/log"
ANSWER_S: Final = 60.0
_ATTEMPTS: Final = 5
"""Of a request that is refused for its rate; each is told how long to wait, a minute at most."""
_LONGEST_WAIT_S: Final = 60.0
_BUNDLES: Final = "tile/entries/"
_MOST_MONTHS: Final = 256
"""That one bundle's entries can be of."""


class GatewayTiles:
    """A `TileReader` over HTTP. No proxy of the environment, no redirect; what is answered is not trusted."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url, timeout=ANSWER_S, trust_env=False, headers={"Authorization": f"Bearer {token}"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def read(self, path: str) -> bytes | None:
        """See `TileReader`. Raises `Failure` where the gateway does not answer, or refuses.

        That a bundle is archived is the gateway's word, as all of it: it counts for nothing but a bundle.
        """
        for _ in range(_ATTEMPTS):
            status, body, wait = self._get(f"{PATH}/{path}")
            if status == 200:
                return body
            if status == 404:
                if path.startswith(_BUNDLES) and (months := _archived_months(body)):
                    raise BundleArchived(path, months)
                return None
            if status != 429:
                raise Failure(f"the gateway refuses {path} with {status}: {body[:500].decode('utf-8', 'replace')}")
            time.sleep(wait)
        raise Failure(f"the gateway refuses {path} for its rate, {_ATTEMPTS} times")

    def partial_widths(self, tile: Tile) -> Sequence[int]:
        """None: a gateway makes them when they are asked for."""
        return ()

    def _get(self, path: str) -> tuple[int, bytes, float]:
        try:
            with self._http.stream("GET", path) as answer:
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > MAX_BUNDLE_BYTES:
                        raise Malformed(f"{path} is larger than its format allows")
                told = answer.headers.get("retry-after", "1")
                return answer.status_code, body, min(float(told) if told.isdigit() else 1.0, _LONGEST_WAIT_S)
        except httpx.HTTPError as error:
            raise Failure(f"{self._http.base_url} does not answer: {str(error) or type(error).__name__}") from error


def _archived_months(body: bytes) -> list[Month]:
    """The months of a problem document whose archives hold the entries; none, if it says nothing of the kind."""
    try:
        told = json.loads(body)["archivedMonths"]
        if not isinstance(told, list) or len(told) > _MOST_MONTHS:
            return []
        return sorted({Month.parse(one) for one in told})
    except (ValueError, KeyError, TypeError, RecursionError, NoMonth):
        return []
