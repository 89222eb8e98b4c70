"""Where a request goes: below the system's address, spelt so that every server reads the same."""

from __future__ import annotations

import pytest

from adapters.errors import Misconfigured
from adapters.transport import ErpRequest, HttpTransport
from adapters.transport_address import Address, template_of
from tests.wire.peer import answering


@pytest.mark.parametrize(
    ("base", "path", "query", "url"),
    [
        ("http://erp:8000", "/sap/a", {}, "http://erp:8000/sap/a"),
        ("http://erp:8000/", "sap/a", {}, "http://erp:8000/sap/a"),
        ("https://erp/tenant/eu/", "/sap/a", {}, "https://erp/tenant/eu/sap/a"),
        ("https://erp/tenant", "//evil.example/a", {}, "https://erp/tenant/evil.example/a"),
        ("https://erp", "/A_Order('10')/to_Item", {}, "https://erp/A_Order('10')/to_Item"),
        ("https://erp", "/A_Order('a%2Fb')", {}, "https://erp/A_Order('a%2Fb')"),
        ("https://erp", "/Grüße und 5% Rabatt", {}, "https://erp/Gr%C3%BC%C3%9Fe%20und%205%25%20Rabatt"),
        ("https://erp", "/a", {"$filter": "A eq 'b c+d&e'"}, "https://erp/a?$filter=A%20eq%20%27b%20c%2Bd%26e%27"),
        ("https://[::1]:8443/x", "/a", {"q": ""}, "https://[::1]:8443/x/a?q="),
    ],
)
def test_a_path_is_joined_and_a_query_encoded(base: str, path: str, query: dict[str, str], url: str) -> None:
    assert str(Address(base).url(path, query)) == url


@pytest.mark.parametrize(
    "path", ["/../a", "/a/../../b", "/./a", "/%2e%2e/a", "/a/%2E%2e%2Fb", "/a/..%5cb", "/%252e%252e/a", "/a\\..\\b"]
)
def test_a_path_cannot_climb_out_of_the_address(path: str) -> None:
    with pytest.raises(Misconfigured):
        Address("https://erp/tenant").url(path, {})


@pytest.mark.parametrize("path", ["/a?b=c", "/a#b"])
def test_a_path_holds_no_query(path: str) -> None:
    with pytest.raises(Misconfigured):
        Address("https://erp").url(path, {})


@pytest.mark.parametrize(
    "base",
    [
        "",
        "erp:8000",
        "ftp://erp",
        "http://",
        "http://user:word@erp",
        "http://erp?a=b",
        "http://erp#a",
        "http://erp/a b",
        "http://erp:99999",
        "http://erp/../x",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_quoted(base: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        HttpTransport(base)
    assert "word" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/sap/API_SALES_ORDER_SRV/A_SalesOrder('4711')/to_Item", "/sap/API_SALES_ORDER_SRV/A_SalesOrder()/to_Item"),
        ("/sap/opu/odata4/srvd_a2x/sap/order/0001/Order", "/sap/opu/odata4/srvd_a2x/sap/order/0001/Order"),
        ("rest/model/sale.sale/4711998/post", "/rest/model/sale.sale/{id}/post"),
    ],
)
def test_a_span_names_the_path_without_the_document(path: str, template: str) -> None:
    assert template_of(path) == template


async def test_what_is_sent_is_what_was_joined() -> None:
    async with answering() as peer:
        transport = HttpTransport(f"{peer.base_url}/tenant")
        await transport.send(ErpRequest("GET", "/A_Order('%2F')", {"$filter": "A eq 'ü b'"}, {"Accept": "text/xml"}))
        await transport.aclose()
        (seen,) = peer.requests
    assert seen.path == "/tenant/A_Order('%2F')"
    assert seen.query == "$filter=A%20eq%20%27%C3%BC%20b%27"
    assert seen.header("accept") == "text/xml"
    assert seen.header("accept-encoding") == "identity"
    assert seen.header("user-agent") == "erp-coexistence-gateway"
    assert seen.header("cookie") == ""
