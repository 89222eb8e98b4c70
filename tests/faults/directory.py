"""The data directory of a gateway under fault: the sample rulebook, both ERPs as OData systems, and short times."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import routing_rules
from gateway.auth.clients import DEFAULT_CLIENTS
from gateway.settings import load_settings
from gateway.wiring.issuer import embedded_issuer

CUSTOMERS: Final = 12
LONGEST_EXECUTION_S: Final = 3.4
"""Longer than the fault ERP ever takes, with room for a busy machine."""
CALL_S: Final = 0.6
"""Shorter than a late posting takes."""

_SETTINGS: Final = """\
name = "faults"
rulebook = "rulebook"
cross_references = "cross-references.csv"

[http]
rate_limit_requests = 0
leave_s = 0.0

[telemetry]
log_level = "warning"

[nats]
url = "{nats}"
credentials_file = "nats.credentials"

[store]
url = "{store}"

[line]
lease_margin_s = 0.6
waiting_recheck_s = 1.0
first_retry_s = 0.1
longest_retry_s = 1.0
poll_s = 0.2

[sweep]
every_s = 2.0
job_missing_s = 5.0
"""
_SYSTEM: Final = """
[[systems]]
id = "{side}-main"
base_url = "{erp}/{side}"
call_s = {call_s}
longest_execution_s = {longest_s}
inquiry_delay_s = 0.2

[systems.options]
client_id = "GATEWAY"
client_secret_file = "erp.secret"
token_path = "/token"
companies = {{NW01 = {{code = "1710", sales_organization = "1710"}}}}

[systems.options.accounts]
receivables = "0012100000"
revenue = "0041000000"
freight = "0044000000"
output_tax = "0022000000"
bank = "0011001000"
"""


def write_directory(data: Path, *, erp: str, nats: tuple[str, str], store: str = "") -> None:
    """Make it. `erp`: the address of the world's ERPs; `nats`: its address, and `user:password`; `store`: the
    database's URL, SQLite in the directory without one."""
    data.mkdir(parents=True)
    rulebook = data / "rulebook"
    shutil.copytree(Path(routing_rules.__file__).parent / "tables", rulebook)
    book = rulebook / "rulebook.yaml"
    text = re.sub(r"driver: \w+", "driver: sap_s4", book.read_text(encoding="utf-8"))
    # what a driver offers differs; nobody here sends contracts or masters
    book.write_text(re.sub(r"concurrent: \d+", "concurrent: 16", text), encoding="utf-8")
    rows = ["domain,source,external_id,system_id,document_type,document_number"]
    for system in ("legacy-main", "cloud-main"):
        rows += [f"customers,salesforce,C{n},{system},customer,{n + 900:010d}" for n in range(CUSTOMERS)]
        rows += [f"products,salesforce,11,{system},product,0000000911"]
    (data / "cross-references.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for name, secret in (("nats.credentials", nats[1]), ("erp.secret", "secret")):
        (data / name).touch(mode=0o600)
        (data / name).write_text(secret, encoding="utf-8")
    settings = _SETTINGS.format(nats=nats[0], store=store)
    for side in ("legacy", "cloud"):
        settings += _SYSTEM.format(side=side, erp=erp, call_s=CALL_S, longest_s=LONGEST_EXECUTION_S)
    (data / "gateway.toml").write_text(settings, encoding="utf-8")


def tokens(data: Path, now: float) -> dict[str, str]:
    """Access tokens of the two systems that submit."""
    issuer = embedded_issuer(data, load_settings(data), lambda: now)
    return {name: issuer.mint(DEFAULT_CLIENTS[name], 3_600) for name in ("salesforce", "billing")}
