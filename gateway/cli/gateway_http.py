"""Acting on the running gateway: over HTTP, with a token that is given or that the embedded issuer signs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Any, Final
from uuid import uuid4

import httpx
import typer

from gateway.auth import DEFAULT_CLIENTS, IssuerMisused
from gateway.cli.console import Failure, data_directory, settings_of
from gateway.cli.refusals import refusal
from gateway.errors import FieldError
from gateway.settings import SettingsError
from gateway.wiring.issuer import embedded_issuer

ANSWER_S: Final = 30.0
LONG_ANSWER_S: Final = 120.0
"""Of what is made while the caller waits."""
LINES_S: Final = 900.0
"""How long the gateway may take for what it was sent last."""
TOKEN_S: Final = 300
"""How long a token lives that is signed for one command."""
_CUT: Final = "ended while the file was being sent: what was accepted stays, and the same command goes on where it was"

UrlOption = Annotated[
    str | None, typer.Option("--url", help="The gateway's address; by default that of the data directory.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="ERP_GATEWAY_TOKEN", help="The access token; by default one of the embedded issuer."
    ),
]
ClientOption = Annotated[
    str, typer.Option("--as", help="The client of the embedded issuer that acts, where no token is given.")
]


class GatewayHttp:
    """One gateway, asked as one client. No proxy of the environment, no redirect."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=url,
            timeout=ANSWER_S,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            transport=transport,
        )

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer's body. Raises Failure for a refusal, and where nobody answers."""
        return self._ask("GET", path, params=dict(query or {}))

    def download(self, path: str, query: Mapping[str, str], out: IO[bytes]) -> None:
        """Write the bytes of the answer as they come. Raises Failure for a refusal, and where the answer is cut."""
        try:
            with self._http.stream("GET", path, params=dict(query), headers={"Accept": "*/*"}) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Failure(_refusal(answer.status_code, _object(answer, self._http.base_url)))
                for part in answer.iter_bytes():
                    out.write(part)
        except httpx.HTTPError as error:
            raise Failure(
                f"{self._http.base_url} gave no whole answer: {str(error) or type(error).__name__}"
            ) from error
        out.flush()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The same; every call has an idempotency key of its own."""
        return self._ask("POST", path, json=dict(body), headers={"Idempotency-Key": str(uuid4())})

    def post_for_bytes(self, path: str, body: Mapping[str, Any]) -> bytes:
        """What is made of the body. Raises Failure for a refusal, and where nobody answers."""
        try:
            answer = self._http.post(path, json=dict(body), headers={"Accept": "*/*"}, timeout=LONG_ANSWER_S)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            raise Failure(f"{self._http.base_url} gave no whole answer: {why}") from error
        if not answer.is_success:
            raise Failure(_refusal(answer.status_code, _object(answer, self._http.base_url)))
        return answer.content

    def send(self, path: str, lines: Iterator[bytes], key: str) -> dict[str, Any]:
        """Post JSON lines, packed, as they are made; the answer comes when the last is dealt with. Raises Failure for a
        refusal, where nobody answers, and where the connection ended on the way."""
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", "Idempotency-Key": key}
        return self._ask("POST", path, cut=_CUT, content=lines, headers=headers, timeout=LINES_S)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replaces what is there."""
        return self._ask("PUT", path, json=dict(body))

    def _ask(self, method: str, path: str, *, cut: str | None = None, **how: Any) -> dict[str, Any]:
        """`cut`: what it means that the connection was there and ended before the answer came."""
        try:
            answer = self._http.request(method, path, **how)
        except httpx.HTTPError as error:
            why = str(error) or type(error).__name__
            if cut is not None and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                raise Failure(f"the connection to {self._http.base_url} {cut} ({why})") from error
            raise Failure(
                f"no gateway answers at {self._http.base_url}: {why}; start it, or name another --url"
            ) from error
        body = _object(answer, self._http.base_url)
        if not answer.is_success:
            raise Failure(_refusal(answer.status_code, body))
        return body


def gateway_of(data: Path | None, url: str | None, token: str | None, client: str) -> GatewayHttp:
    """The gateway that a command acts on. Raises Failure where there is no token to be had."""
    if url is not None and token is not None:
        return GatewayHttp(url, token)
    directory = data_directory(data)
    settings = settings_of(directory)
    if token is None:
        known = DEFAULT_CLIENTS.get(client)
        if known is None:
            raise Failure(f"no client {client!r}; there are {', '.join(DEFAULT_CLIENTS)}", 2)
        try:
            token = embedded_issuer(directory, settings, time.time).mint(known, TOKEN_S)
        except (IssuerMisused, SettingsError) as error:
            raise Failure(str(error), 2) from error
    return GatewayHttp(url or f"http://{settings.http.host}:{settings.http.port}", token)


def _object(answer: httpx.Response, base_url: httpx.URL) -> dict[str, Any]:
    """The body, which is a JSON object. Raises Failure."""
    try:
        body = answer.json()
    except ValueError as error:
        raise Failure(f"{base_url} answers {answer.status_code} and no JSON: is it the gateway?") from error
    if not isinstance(body, dict):
        raise Failure(f"{base_url} answers something else than a JSON object: is it the gateway?")
    return body


def _refusal(status: int, problem: Mapping[str, Any]) -> str:
    """A problem document (RFC 9457): a line, and one for each thing that is wrong beside it."""
    errors = [FieldError(one["field"], one["message"], one["remedy"]) for one in problem.get("errors", ())]
    said = str(problem.get("detail") or problem.get("title") or "refused")
    return f"{problem.get('code', status)}: {refusal(said, str(problem.get('remedy') or ''), errors)}"
