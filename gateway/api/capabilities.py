"""/v1/capabilities: what can be done today, where."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from gateway.api.answer import Answer, json_answer
from gateway.api.capability_report import capability_report
from gateway.api.capability_schemas import CapabilitiesAnswer
from gateway.api.domains import RESOURCES
from gateway.api.exchange import exchange_of
from gateway.api.guard import any_scope_of, caller_of
from gateway.api.operations import Operation, described
from gateway.api.parts import AppParts
from gateway.api.query import Parameter, read_query
from gateway.api.visibility import Visibility

AnyRequest = Request[Any, Any, Any]

_DOMAIN: Final = Parameter(
    "domain", "[a-z_]{1,20}", "One document family only.", "orders", values=tuple(one.domain for one in RESOURCES)
)


def capability_routes(parts: AppParts, visibility: Visibility) -> list[HTTPRouteHandler]:
    """Systems, and the slices within the caller's data scope."""

    @get(
        "/v1/capabilities",
        operation_id="getCapabilities",
        summary="Read what each system and each slice can do today",
        tags=["capabilities"],
        opt=described(
            any_scope_of("documents:read"),
            Operation(answers={200: CapabilitiesAnswer}, query=(_DOMAIN,), answer_examples={200: _EXAMPLE}),
        ),
    )
    async def capabilities(request: AnyRequest) -> Answer:
        query = read_query(request.scope["query_string"], (_DOMAIN,), parts.limits)
        await parts.refresh()
        visible = visibility.of(caller_of(request.scope))
        report = capability_report(
            parts.rulebook(), parts.capabilities(), RESOURCES, visible, query.get("domain"), parts.overlays()
        )
        return json_answer(exchange_of(request.scope), report)

    return [capabilities]


_EXAMPLE: Final = {
    "domains": [{"domain": "orders", "served": True, "operations": ["create", "change", "cancel"]}],
    "systems": [
        {
            "systemId": "cloud-main",
            "systemName": "The ERP that Northwind moves to",
            "side": "cloud",
            "driver": "sap_s4",
            "regions": ["World"],
            "domains": [
                {
                    "domain": "orders",
                    "operations": [
                        {
                            "operation": "change",
                            "supported": True,
                            "reason": "",
                            "maxLines": 999,
                            "mixedLines": False,
                            "canValidate": False,
                            "changeableMembers": ["lines", "requestedDeliveryDate"],
                            "referenceUnique": False,
                        }
                    ],
                }
            ],
        }
    ],
    "slices": [
        {
            "domain": "orders",
            "row": "o-west",
            "businessUnit": "Western",
            "geography": "*",
            "companyCode": "*",
            "documentType": "*",
            "customerSegment": "*",
            "amount": "*",
            "stage": "live",
            "overlay": None,
            "overlaysInForce": [
                {
                    "overlay": "hold",
                    "overlayId": "ovl_01JD9QFG8H0J2K4M6N8P0Q2R4S",
                    "businessUnit": "Western",
                    "geography": "US",
                    "wholeSlice": False,
                    "expectedUntil": "2026-11-30T06:00:00.000000Z",
                    "effect": "everything is accepted and kept back as held until it is lifted, follow-ups as well",
                }
            ],
            "newRootSystemIds": ["cloud-main"],
            "followUpSystemIds": ["legacy-main", "cloud-main"],
            "keptByGateway": False,
            "operations": [
                {"operation": "create", "systemIds": ["cloud-main"]},
                {"operation": "change", "systemIds": ["cloud-main"]},
                {"operation": "cancel", "systemIds": ["cloud-main"]},
            ],
        }
    ],
    "slicesLeftOut": 0,
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
    "rateLimit": {"policy": "default", "quota": 6000, "windowS": 60, "remaining": 5999, "resetS": 1},
}
