"""The two ERPs as real processes, and the masters in the legacy one."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import psutil
import pytest

from gateway.demo.children import Child, ChildEnded, Children
from gateway.demo.erps import CLOUD, LEGACY, Erp, start_erps
from gateway.demo.lock import GATEWAY_LOCK, DataInUse, held, refuse_if_served
from gateway.demo.masters import put_masters
from gateway.demo.northwind import Northwind, load_northwind
from gateway.demo.odata import session
from gateway.demo.places import Memory, NotOurs, Places
from gateway.demo.readings import read_erp, read_masters
from gateway.intake.cross_references import read_rows, write_rows
from tests.demo_memory import demo_memory

pytestmark = pytest.mark.enable_socket


@dataclass
class Running:
    places: Places
    children: Children
    memory: Memory
    legacy: Erp
    cloud: Erp


def _places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "data")
    places.prepare(fresh=False)
    return places


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    places = _places(tmp_path)
    memory = demo_memory(places)
    children = Children(places.children, str(places.directory))
    try:
        legacy, cloud = await start_erps(children, places, memory)
        yield Running(places, children, memory, legacy, cloud)
    finally:
        children.stop_all()


async def _order(erp: Erp) -> str:
    body = {
        "SalesOrderType": "OR",
        "SoldToParty": "1000001",
        "PurchaseOrderByCustomer": "0123456789ABCDEF",
        "TransactionCurrency": "USD",
        "to_Item": {"results": [{"Material": "TG11", "RequestedQuantity": "1", "NetAmount": "12.34"}]},
    }
    async with session(erp) as odata:
        return str((await odata.create("API_SALES_ORDER_SRV", "A_SalesOrder", body))["SalesOrder"])


async def test_numbers_begin_apart_and_go_on_after_a_restart(running: Running) -> None:
    assert await read_erp(running.legacy) == []
    assert await read_erp(running.cloud) == []
    assert await _order(running.legacy) == "1200000001"
    running.children.stop_all()
    legacy, cloud = await start_erps(running.children, running.places, running.memory)
    assert await _order(legacy) == "1200000002"
    found = await read_erp(legacy)
    assert [one.number for one in found] == ["1200000001", "1200000002"]
    assert {(one.reference, str(one.total), one.currency) for one in found} == {("0123456789ABCDEF", "12.340", "USD")}
    assert await read_erp(cloud) == []


async def _invoice(erp: Erp) -> None:
    """An invoice of 12.34 + 1.00 freight, as an accounting document through the BAPI."""
    amounts = {"1": "13.34", "2": "-12.34", "3": "-1.00"}
    body = {
        "DOCUMENTHEADER": {
            "COMP_CODE": "NW01",
            "DOC_TYPE": "DR",
            "DOC_DATE": "19980506",
            "PSTNG_DATE": "19980506",
            "REF_DOC_NO": "0123456789ABCDEF",
        },
        "ACCOUNTGL": [
            {"ITEMNO_ACC": "2", "GL_ACCOUNT": "0000800000"},
            {"ITEMNO_ACC": "3", "GL_ACCOUNT": "0000809000"},
        ],
        "ACCOUNTRECEIVABLE": [{"ITEMNO_ACC": "1", "CUSTOMER": "1000001"}],
        "CURRENCYAMOUNT": [
            {"ITEMNO_ACC": item, "CURRENCY": "USD", "AMT_DOCCUR": amount} for item, amount in amounts.items()
        ],
    }
    async with httpx.AsyncClient(base_url=erp.base_url, auth=erp.auth, trust_env=False) as client:
        response = await client.post("/sap/bc/rfc/BAPI_ACC_DOCUMENT_POST", json=body)
    assert response.json()["RETURN"][0]["TYPE"] == "S"


async def test_an_accounting_document_is_read_with_its_own_date(running: Running) -> None:
    """The ERP's own clock stands in 1996; a posting of 1998 keeps its date."""
    await _invoice(running.legacy)
    (found,) = await read_erp(running.legacy)
    assert (found.domain, found.number) == ("invoices", "1500000001/NW01/1998")
    assert found.posting_date == date(1998, 5, 6)
    assert found.total == found.line_total == Decimal("13.34")
    assert found.lines == (Decimal("12.34"), Decimal("1.00"))
    assert (found.customer, found.company_code, found.reference) == ("1000001", "NW01", "0123456789ABCDEF")


async def test_masters_are_put_once(running: Running) -> None:
    whole = load_northwind()
    some = Northwind(whole.customers[:5], whole.products[:4], ())
    done: list[None] = []
    rows = await put_masters(running.legacy, some, lambda: done.append(None))
    assert len(rows) == len(done) == 9
    assert {row.system_id for row in rows} == {LEGACY}
    assert {(row.domain, row.document_type) for row in rows} == {("customers", "customer"), ("products", "product")}
    assert rows[-1].document_number == "NW-0004"
    before = await read_masters(running.legacy)
    assert await put_masters(running.legacy, some, lambda: None) == rows
    assert await read_masters(running.legacy) == before
    assert before["customers"].count("NW ALFKI") == 1
    path = running.places.cross_references
    write_rows(path, rows)
    assert read_rows(path, ["legacy-main"]) == rows
    assert path.read_text().startswith("domain,source,external_id,system_id,document_type,document_number")


async def test_a_customer_that_was_not_finished_is_finished(running: Running) -> None:
    some = Northwind(load_northwind().customers[:1], (), ())
    async with session(running.legacy) as odata:
        half = await odata.create(
            "API_BUSINESS_PARTNER_SRV", "A_BusinessPartner", {"SearchTerm1": "NW ALFKI", "OrganizationBPName1": "A"}
        )
    (row,) = await put_masters(running.legacy, some, lambda: None)
    assert row.document_number == half["BusinessPartner"]


async def test_secrets_and_ports_are_kept_to_the_owner(running: Running) -> None:
    assert running.places.memory.stat().st_mode & 0o077 == 0
    assert running.memory.legacy_password not in repr(running.places)
    again = Memory.recall(running.places.memory, gateway_port=None)
    assert (again.legacy_password, again.cloud_secret) == (running.memory.legacy_password, running.memory.cloud_secret)
    # The ports are in use now, so another start takes others.
    assert {again.legacy_port, again.cloud_port}.isdisjoint({running.memory.legacy_port, running.memory.cloud_port})


def _sleeper(children: Children, places: Places) -> Child:
    code = "import time; time.sleep(600)"
    return children.start("sleeper", [sys.executable, "-c", code, str(places.directory)], places.log("sleeper"))


def test_a_child_ends_when_it_is_stopped(tmp_path: Path) -> None:
    places = _places(tmp_path)
    children = Children(places.children, str(places.directory))
    child = _sleeper(children, places)
    child.check()
    children.stop_all()
    assert child.exit_code == -signal.SIGTERM
    with pytest.raises(ChildEnded):
        child.check()


def test_a_later_start_ends_what_was_left(tmp_path: Path) -> None:
    places = _places(tmp_path)
    first = Children(places.children, str(places.directory))
    child = _sleeper(first, places)
    assert Children(places.children, str(places.directory)).end_orphans() == ["sleeper"]
    assert child.exit_code is not None
    assert Children(places.children, str(places.directory)).end_orphans() == []


def test_somebody_elses_process_is_left_alone(tmp_path: Path) -> None:
    places = _places(tmp_path)
    first = Children(places.children, str(places.directory))
    child = _sleeper(first, places)
    record = places.children.read_text()
    places.children.write_text(record.replace('"started": ', '"started": 1'))
    assert Children(places.children, str(places.directory)).end_orphans() == []
    child.check()
    first.stop_all()


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys,time,pathlib\n"
        "from gateway.demo.children import Children\n"
        "d=pathlib.Path(sys.argv[1])\n"
        "command=[sys.executable,'-c','import time;time.sleep(600)']\n"
        "c=Children(d/'children.json',str(d)).start('s',command,d/'s.log')\n"
        "print(c.pid,flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(30)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with held(directory), pytest.raises(DataInUse) as caught, held(directory):
        pass
    assert caught.value.holder == str(os.getpid())
    with held(directory):
        pass


def test_a_gateway_that_was_started_by_hand_holds_the_data_too(tmp_path: Path) -> None:
    refuse_if_served(tmp_path)
    with (tmp_path / GATEWAY_LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataInUse):
            refuse_if_served(tmp_path)
    refuse_if_served(tmp_path)


def test_fresh_empties_nothing_but_a_demos_directory(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(NotOurs):
        Places(tmp_path).prepare(fresh=True)
    assert (tmp_path / "precious.txt").exists()
    places = _places(tmp_path / "inner")
    Memory.recall(places.memory, gateway_port=4711)
    places.log("x").write_text("old")
    places.prepare(fresh=True)
    assert list(places.directory.iterdir()) == []


async def test_a_broken_erp_is_reported_with_its_log(tmp_path: Path) -> None:
    places = _places(tmp_path)
    memory = Memory.recall(places.memory, gateway_port=None)
    children = Children(places.children, str(places.directory))
    places.erp_database(CLOUD).write_text("this is no database, and long enough to be read as one" * 100)
    try:
        with pytest.raises(ExceptionGroup) as caught:
            await start_erps(children, places, memory)
        assert caught.group_contains(Exception)
    finally:
        await asyncio.to_thread(children.stop_all)
