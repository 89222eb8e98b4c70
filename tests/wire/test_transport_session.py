"""What the session does and leaves alone: TLS, cookies, redirects, the environment, spans."""

from __future__ import annotations

import gzip
import ssl
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapters.errors import Garbled, Misconfigured, NotSent, OutcomeUnknown
from adapters.transport import ErpRequest, ErpResponse, HttpTransport
from tests.wire.certificates import self_signed
from tests.wire.messages import answer
from tests.wire.misbehaviours import by_name, says
from tests.wire.peer import answering, misbehaving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1 with its key, in one PEM file."""
    path = tmp_path_factory.mktemp("tls") / "erp.pem"
    path.write_bytes(self_signed())
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    """The peer's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_misconfigured(server_tls: ssl.SSLContext) -> None:
    async with answering(tls=server_tls) as peer:
        transport = HttpTransport(peer.base_url)
        with pytest.raises(Misconfigured):
            await transport.send(ErpRequest("POST", "/", body=b"{}"), pytest.fail)
        await transport.aclose()
        assert peer.requests == []


async def test_an_own_authority_is_accepted_and_connections_are_reused(
    server_tls: ssl.SSLContext, certificate: Path
) -> None:
    async with answering(tls=server_tls) as peer:
        transport = HttpTransport(peer.base_url, ssl_context=ssl.create_default_context(cafile=certificate))
        permits: list[int] = []
        for _ in range(3):
            response = await transport.send(ErpRequest("POST", "/", body=b"{}"), lambda: permits.append(1))
            assert response.body == b"ok"
        await transport.aclose()
        assert len(permits) == 3
        assert len(peer.requests) == 3
        assert peer.connections == 1


async def test_a_peer_that_speaks_no_tls_was_sent_nothing() -> None:
    async with answering() as peer:
        transport = HttpTransport(peer.base_url.replace("http:", "https:"))
        with pytest.raises(NotSent):
            await transport.send(ErpRequest("POST", "/", body=b"{}"), pytest.fail)
        await transport.aclose()
        assert peer.requests == []


async def test_cookies_are_given_to_the_driver_and_not_kept() -> None:
    cookies = ("SAP_SESSIONID=abc; path=/; HttpOnly", "sap-usercontext=sap-client=100; path=/")
    told = says(answer("200 OK", b"", *(f"Set-Cookie: {cookie}" for cookie in cookies)))
    async with misbehaving(told) as peer:
        # By name: a jar of aiohttp keeps no cookies of a peer that is called by its number.
        transport = HttpTransport(peer.base_url.replace("127.0.0.1", "localhost"))
        for _ in range(2):
            assert (await transport.send(ErpRequest("GET", "/"))).cookies == cookies
        await transport.aclose()
        assert [seen.header("cookie") for seen in peer.requests] == ["", ""]


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with answering() as elsewhere:
        async with misbehaving(says(answer("307 Moved", b"", f"Location: {elsewhere.base_url}/"))) as peer:
            transport = HttpTransport(peer.base_url)
            response = await transport.send(ErpRequest("POST", "/", body=b"{}"))
            await transport.aclose()
        assert response.status == 307
        assert elsewhere.connections == 0


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, identity"])
async def test_no_compressed_answer_is_asked_for_or_taken(coding: str) -> None:
    """However small: how much it becomes is known only when it is too late."""
    body = gzip.compress(b"{}")
    async with misbehaving(says(answer("200 OK", body, f"Content-Encoding: {coding}"))) as peer:
        transport = HttpTransport(peer.base_url)
        with pytest.raises(Garbled, match="encoded"):
            await transport.send(ErpRequest("GET", "/"))
        await transport.aclose()
        assert peer.requests[0].header("accept-encoding") == "identity"


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering() as proxy, answering(b"direct") as peer:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        transport = HttpTransport(peer.base_url)
        assert (await transport.send(ErpRequest("GET", "/"))).body == b"direct"
        await transport.aclose()
        assert proxy.connections == 0


async def test_the_answer_comes_whole_with_lower_case_names() -> None:
    body = bytes(range(256)) * 4_000
    async with misbehaving(says(answer("201 Created", body, "X-CSRF-Token: abc", "ETag: W/1"))) as peer:
        transport = HttpTransport(peer.base_url)
        response = await transport.send(ErpRequest("POST", "/", body=body))
        await transport.aclose()
        assert peer.requests[0].body == body
    assert response == ErpResponse(201, {"x-csrf-token": "abc", "etag": "W/1", "content-length": str(len(body))}, body)


async def test_a_large_body_is_sent_whole() -> None:
    body = b"0123456789abcdef" * 200_000
    async with answering() as peer:
        transport = HttpTransport(peer.base_url)
        await transport.send(ErpRequest("POST", "/", body=body), lambda: None)
        await transport.aclose()
        assert peer.requests[0].body == body
        assert peer.requests[0].header("content-length") == str(len(body))


async def test_a_span_tells_system_method_template_and_outcome_and_nothing_else() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    secret, payload = "Basic c2VjcmV0", b"<name>Alfreds Futterkiste</name>"
    request = ErpRequest(
        "POST", "/A_Order('4711')", {"$filter": "Name eq 'Alfreds'"}, {"Authorization": secret}, payload
    )
    tracer = provider.get_tracer("test")
    async with answering() as well, misbehaving(by_name("reset").act) as ill:
        for peer in (well, ill):
            transport = HttpTransport(peer.base_url, system_id="legacy-main", tracer=tracer)
            try:
                await transport.send(request)
            except OutcomeUnknown:
                assert peer is ill
            await transport.aclose()
    succeeded, failed = exporter.get_finished_spans()
    common = {
        "erp.system_id": "legacy-main",
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "url.template": "/A_Order()",
    }
    assert dict(succeeded.attributes or {}) == common | {"http.response.status_code": 200}
    assert dict(failed.attributes or {}) == common | {"error.type": "OutcomeUnknown"}
    for span in (succeeded, failed):
        text = span.to_json()
        assert not any(word in text for word in (secret, "Alfreds", "4711"))
    provider.shutdown()
