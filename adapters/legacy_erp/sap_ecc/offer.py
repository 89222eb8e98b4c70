"""What a SAP ECC installation can do, by its settings. Pure."""

from __future__ import annotations

from typing import Final

from adapters.canonical import MASTER_DOMAINS
from adapters.legacy_erp.sap_ecc import translate
from adapters.legacy_erp.sap_ecc.order_changes import CHANGEABLE
from adapters.legacy_erp.sap_ecc.settings import SapEccSettings
from adapters.port import Capabilities, Capability, Operation

_NO_MASTERS: Final = "the ERP offers no function that creates or changes customers or materials; they are kept there"
_NO_CONTRACTS: Final = "the ERP offers no function for subscriptions"
_NO_REVERSAL: Final = "an order is no posting that could be mirrored; it is cancelled"
_NEVER_CHANGED: Final = "an accounting document is never changed; it is reversed and posted anew"
_NO_IDOC_CHANGE: Final = "orders go as IDocs here, and of those only new ones are taken"
_CLOSED: Final = "the installation does not let us post these (setting closed)"
_ACCOUNTING: Final = ("invoices", "payments", "journal_entries")


def capabilities(settings: SapEccSettings) -> Capabilities:
    """By (domain, operation). TESTRUN is honoured for orders only: a test run of an accounting document posts."""
    longest, lines = settings.longest_execution_s, translate.MAX_LINES
    document = Capability(True, longest_execution_s=longest, max_lines=lines)
    order = Capability(True, longest_execution_s=longest, max_lines=lines, can_validate=True)
    change = Capability(True, longest_execution_s=longest, max_lines=lines, changeable=CHANGEABLE)
    offered = {("orders", Operation.CREATE): order}
    if settings.orders_by == "idoc":
        offered["orders", Operation.CREATE] = document
        offered["orders", Operation.CHANGE] = offered["orders", Operation.CANCEL] = _no(_NO_IDOC_CHANGE)
    else:
        offered["orders", Operation.CHANGE] = change
        offered["orders", Operation.CANCEL] = document
    offered["orders", Operation.REVERSE] = _no(_NO_REVERSAL)
    for domain in _ACCOUNTING:
        offered[domain, Operation.CREATE] = offered[domain, Operation.REVERSE] = document
        offered[domain, Operation.CHANGE] = offered[domain, Operation.CANCEL] = _no(_NEVER_CHANGED)
    for operation in Operation:
        offered["contracts", operation] = _no(_NO_CONTRACTS)
        for domain in MASTER_DOMAINS:
            offered[domain, operation] = _no(_NO_MASTERS)
    return {key: _no(_CLOSED) if one.supported and key[0] in settings.closed else one for key, one in offered.items()}


def _no(reason: str) -> Capability:
    return Capability(False, reason=reason)
