"""Where to look and which commands to try, once the demo has done its work."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console

from gateway.demo.erps import Erp
from gateway.demo.places import Places
from gateway.settings import default_data


def print_tour(console: Console, places: Places, base_url: str, gateway_pid: int, legacy: Erp, cloud: Erp) -> None:
    """Print addresses, files and commands; each command can be copied as it is."""
    data = "" if places.directory == default_data() else f" --data {shlex.quote(str(places.directory))}"
    command = _program()
    lines = [
        "",
        "Where to look",
        f"  the gateway's API      {base_url}/v1/transactions",
        f"  its description        {base_url}/openapi.json",
        f"  whether it is ready    {base_url}/health/ready",
        f"  the legacy ERP         {legacy.base_url}/  (Basic; user and password in {places.memory.name})",
        f"  the cloud ERP          {cloud.base_url}/  (OAuth2; client and secret in {places.memory.name})",
        f"  all files              {places.directory}",
        f"                         {places.settings.name}, rulebook/, {places.summary.name}, *.log",
        "",
        "What to try",
        f"  {command} transactions list{data} --domain orders",
        f"  {command} transactions list{data} --external-id 10248",
        f"  {command} ledger trace{data} 10248",
        f"  {command} events tail{data} --from-start --count 20",
        f"  {command} rules explain{data} --domain orders --business-unit Western --geography US",
        f"  {command} adapters try{data}",
        f'  curl -s -H "Authorization: Bearer $({command} token{data} --client salesforce)" \\',
        f"    '{base_url}/v1/transactions?externalId=10248&source=salesforce'",
        f"  kill -9 {gateway_pid}   (the gateway: it is started again, and nothing is lost or doubled)",
        "",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _program() -> str:
    """`erp-gateway` as it must be typed here."""
    program = Path(sys.executable).with_name("erp-gateway")
    if shutil.which("erp-gateway") == str(program):
        return "erp-gateway"
    here = Path.cwd()
    return shlex.quote(str(program.relative_to(here) if program.is_relative_to(here) else program))
