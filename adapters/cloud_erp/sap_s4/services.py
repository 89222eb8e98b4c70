"""Which dialect speaks to which service."""

from __future__ import annotations

from adapters.cloud_erp.sap_s4.client import ODataClient
from adapters.cloud_erp.sap_s4.odata_v2 import ODataV2
from adapters.cloud_erp.sap_s4.odata_v4 import ODataV4
from adapters.cloud_erp.sap_s4.session import Session
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.wire import Address, Dialect
from adapters.errors import Misconfigured
from adapters.transport import Transport

PARTNERS = Address("API_BUSINESS_PARTNER_SRV", "A_BusinessPartner")
PRODUCTS = Address("API_PRODUCT_SRV", "A_Product")
ORDERS = Address("API_SALES_ORDER_SRV", "A_SalesOrder")
ENTRIES = Address("API_JOURNALENTRY_SRV", "A_JournalEntry")


class Services:
    """The clients of one system: V2, or V4 with V2 for what has no V4 service, as the settings say."""

    def __init__(self, settings: S4Settings, transport: Transport) -> None:
        v4 = ODataV4(settings.v4_names, settings.v4_expand) if settings.odata_version == "v4" else None
        main: Dialect = v4 or ODataV2()
        self.session = Session(transport, settings, main.headers, main.service_path(ORDERS))
        self._main = ODataClient(self.session, main, settings)
        self._other = ODataClient(self.session, ODataV2(), settings) if settings.accounting_over == "v2" else None

    def serves(self, address: Address) -> bool:
        """Whether a client speaks to that service."""
        return self._main.dialect.serves(address) or self._other is not None

    def client(self, address: Address) -> ODataClient:
        """The client for a service; `Misconfigured` where there is none."""
        if self._main.dialect.serves(address):
            return self._main
        if self._other is None:
            raise Misconfigured(f"{address.service} has no OData V4 service in this system")
        return self._other
