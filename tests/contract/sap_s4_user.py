"""Somebody else in the simulator: a person who changes documents over its own OData V2, as any other client would."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, Final
from urllib.parse import quote

_ROOT: Final = "/sap/opu/odata/sap/"


class OtherUser:
    """Speaks to the simulator on `port` with the client's id and secret."""

    def __init__(self, port: int, client: str, secret: str) -> None:
        self._port = port
        self._login = base64.b64encode(f"{client}:{secret}".encode()).decode()

    def change(self, service: str, entity: str, values: dict[str, Any]) -> None:
        """PATCH one entity, e.g. `A_Product('TG12')`, under the ETag that it has. AssertionError unless it is done."""
        form = {"Authorization": f"Basic {self._login}", "Content-Type": "application/x-www-form-urlencoded"}
        _, body = self._call("POST", "/sap/bc/sec/oauth2/token", form, b"grant_type=client_credentials")
        bearer = {"Authorization": f"Bearer {json.loads(body)['access_token']}", "Accept": "application/json"}
        path = f"{_ROOT}{service}/{quote(entity, safe=',=()')}"
        headers, _ = self._call("GET", path, {**bearer, "X-CSRF-Token": "Fetch"})
        guard = {"If-Match": headers["etag"]} if "etag" in headers else {}
        token = {"X-CSRF-Token": headers["x-csrf-token"], "Content-Type": "application/json"}
        self._call("PATCH", path, {**bearer, **guard, **token}, json.dumps(values).encode())

    def _call(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        assert response.status < 300, (method, path, response.status, content[:300])
        return {name.lower(): value for name, value in response.getheaders()}, content
