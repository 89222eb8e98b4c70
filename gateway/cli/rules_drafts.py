"""Drafts of rules on the running gateway, over HTTP: from `erp-gateway rules draft` to `rules activate`, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from gateway.cli import rules_files
from gateway.cli.console import DataOption, Failure, JsonOption, print_json, print_line, print_table
from gateway.cli.cutover_board import tell_impact
from gateway.cli.gateway_http import ClientOption, TokenOption, UrlOption, gateway_of
from routing_rules.model import DOMAINS

DraftArgument = Annotated[str, typer.Argument(metavar="DRAFT", help="drf_…")]
EtagOption = Annotated[
    str | None, typer.Option("--etag", help="Only if the draft is still at this etag; by default as it stands.")
]
PATH = "/v1/drafts"
SHOWN = 20
"""Changes and findings that a review prints; --json has them all."""


def draft(
    directory: Annotated[Path, typer.Argument(help="The directory with rulebook.yaml and one CSV per domain.")],
    title: Annotated[str, typer.Option(help="What it is for, in a line.")],
    edit: Annotated[str | None, typer.Option("--edit", metavar="DRAFT", help="Save this draft anew.")] = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """Save a directory as a draft on what is in force. Its files are read first: errors name file:line:column."""
    rules_files.load(directory, json=json)
    content = {"title": title, "files": _files(directory)}
    gateway = gateway_of(data, url, token, client)
    if edit is None:
        found = gateway.post(PATH, content)
    else:
        etag = gateway.get(_path(edit))["etag"]
        found = gateway.put(_path(edit), {**content, "ifMatch": etag})
    told = f"{found['draftId']} is saved as {found['etag']} on activation {found['baseActivationNumber']}"
    _tell(found, json, told, f"  table version {found['rule']['tableVersion']}")


def drafts(
    state: Annotated[str | None, typer.Option(help="open, activated or discarded.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, newest first.")] = 50,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """The drafts, newest first."""
    query = {"pageSize": str(limit)} | ({} if state is None else {"state": state})
    items = gateway_of(data, url, token, client).get(PATH, query)["items"]
    if json:
        print_json(items)
        return
    print_table(
        ["draft", "title", "state", "etag", "on activation", "updated"],
        [
            (
                one["draftId"],
                one["title"],
                one["state"],
                one["etag"],
                str(one["baseActivationNumber"]),
                one["updatedAt"],
            )
            for one in items
        ],
    )


def review(
    draft_id: DraftArgument,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """What a draft changes, what stands against it, who approved it, and what its gates say."""
    found = gateway_of(data, url, token, client).get(_path(draft_id))
    if json:
        print_json(found)
        return
    on = f"on activation {found['baseActivationNumber']}"
    stale = "" if found["basedOnWhatIsInForce"] else f"; {found['inForceActivationNumber']} is in force: save it again"
    print_line(f"{found['draftId']} {found['etag']} ({found['state']}): {found['title']}, {on}{stale}")
    for one in (found["changes"] or [])[:SHOWN]:
        where = ", ".join(f"{cell['column']} {cell['text']}" for cell in one["conditions"]) or "everything"
        how = "; ".join(
            f"{cell['column']} {cell['before'] or '-'} -> {cell['after'] or '-'}" for cell in one["changed"]
        )
        print_line(f"  {one['domain']}: {where}: {how}")
    print_line(f"{found['changesInAll']} changes" + (f" ({found['changesWhy']})" if found["changesWhy"] else ""))
    for one in found["groundChanges"][:SHOWN]:
        print_line(f"  {one['section']} {one['entry']}: {one['before'] or '-'} -> {one['after'] or '-'}")
    for one in found["proof"]["findings"][:SHOWN]:
        _tell_finding(one)
    left = len(found["proof"]["findings"]) - SHOWN
    if left > 0:
        print_line(f"  and {left} findings more, with --json")
    print_line("the proof is clean" if found["proof"]["clean"] else "the proof is not clean")
    for text in found["failedExamples"]:
        print_line(f"  {text}")
    for one in found["touches"]:
        print_line(f"  {one['domain']}: {'approved' if one['approved'] else 'wants ' + ' or '.join(one['owners'])}")
    for one in found["approvals"]:
        why = "counts" if one["counts"] else f"void: {'; '.join(one['voidReasons'])}"
        print_line(f"  approved by {_name(one['approvedBy'])} at {one['approvedAt']}: {why}")
    for one in found["gates"]:
        mark = "holds" if one["passed"] else "waived" if one["holds"] else "FAILS"
        print_line(f"  gate {one['gate']} {mark}: {one['why']}")


def approve(
    draft_id: DraftArgument,
    etag: EtagOption = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "order-to-cash-approver",
    json: JsonOption = False,
) -> None:
    """Approve a draft as it stands. Not for who saved it, and only for members of the teams that own what changes."""
    gateway = gateway_of(data, url, token, client)
    read = etag or gateway.get(_path(draft_id))["etag"]
    found = gateway.post(f"{_path(draft_id)}/approve", {"ifMatch": read})
    _tell(found, json, f"{found['approvalId']}: {found['draftId']} {read} is approved")


def waive(
    draft_id: DraftArgument,
    gate: Annotated[str, typer.Option(help="The gate that need not pass.")],
    reason: Annotated[str, typer.Option(help="Why, for people; kept beside the ledger.")],
    until: Annotated[str, typer.Option(help="When the waiver ends: 2026-12-24T00:00:00Z.")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "controller",
    json: JsonOption = False,
) -> None:
    """Let a draft pass without one gate. Not for who saved it or activates it."""
    body = {"gate": gate, "reason": reason, "expiresAt": until}
    found = gateway_of(data, url, token, client).post(f"{_path(draft_id)}/waive", body)
    _tell(found, json, f"{found['waiverId']}: {found['gate']} is waived until {found['expiresAt']}")


def activate(
    draft_id: DraftArgument,
    at: Annotated[str | None, typer.Option(help="When: 2026-12-01T00:00:00Z. By default now.")] = None,
    company_code: Annotated[str | None, typer.Option(help="At the end of this company code's --period.")] = None,
    period: Annotated[str | None, typer.Option(help="Such as 2026-11.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the request back.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "order-to-cash-activator",
    json: JsonOption = False,
) -> None:
    """Bring a draft into force. Not for who saved or approved it."""
    gateway = gateway_of(data, url, token, client)
    if withdraw:
        found = gateway.post(f"{_path(draft_id)}/withdraw", {})
    else:
        asked = {"effectiveAt": at, "companyCode": company_code, "period": period}
        body = {name: value for name, value in asked.items() if value is not None}
        found = gateway.post(f"{_path(draft_id)}/activate", body)
    _tell_activation(found, json)


def discard(
    draft_id: DraftArgument,
    etag: EtagOption = None,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """Close a draft for good; what was asked for its activation is void then."""
    gateway = gateway_of(data, url, token, client)
    read = etag or gateway.get(_path(draft_id))["etag"]
    found = gateway.post(f"{_path(draft_id)}/discard", {"ifMatch": read})
    _tell(found, json, f"{found['draftId']} is discarded")


def rollback(
    slice_: Annotated[str, typer.Argument(metavar="SLICE", help="Such as orders.Eastern.DE.")],
    reason: Annotated[str, typer.Option(help="Why, for people; kept beside the ledger.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to.")] = False,
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "order-to-cash-activator",
    json: JsonOption = False,
) -> None:
    """Take one slice back to what it was before the last activation that changed it: one person, new roots only.

    What going back would leave in the cloud is told first, and asked whether to.
    """
    gateway = gateway_of(data, url, token, client)
    path = f"/v1/cutover/slices/{quote(slice_, safe='')}"
    if not json:
        tell_impact(gateway.get(path)["rollbackImpact"])
    if not yes and not typer.confirm(f"Take {slice_} back?", err=True):
        raise Failure("nothing was done")
    _tell_activation(gateway.post(f"{path}/rollback", {"reason": reason}), json)


def fetch(
    number: Annotated[int, typer.Argument(help="An activation number.")],
    directory: Annotated[Path, typer.Argument(help="Where the files are written; it is made, and must be empty.")],
    data: DataOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    client: ClientOption = "migration",
    json: JsonOption = False,
) -> None:
    """Write the files of what came into force with this number, to go on from."""
    found = gateway_of(data, url, token, client).get(f"/v1/rulebooks/{number}")
    known = {"rulebook.yaml", *(f"{domain}.csv" for domain in DOMAINS)}
    files = [one for one in found["files"] if one["fileName"] in known]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise Failure(f"{directory} is not empty; name another directory", 2)
        for one in files:
            (directory / one["fileName"]).write_text(one["text"], encoding="utf-8", newline="")
    except OSError as error:
        raise Failure(f"{directory} cannot be written: {error.strerror}", 2) from error
    names = [one["fileName"] for one in files]
    _tell({"directory": str(directory), "files": names}, json, f"{len(names)} files are in {directory}")


def _tell_finding(finding: Mapping[str, Any]) -> None:
    """As `rules check` tells it: where, what, for which document, and what to do."""
    rows = [f"{_place(one)} {one['row']}" for one in finding["rows"]]
    where = f" at {', '.join(rows)}" if rows else ""
    print_line(f"  {finding['severity']} {finding['code']} ({finding['domain']}){where}: {finding['message']}")
    if finding["witness"] is not None:
        print_line(f"    witness: {', '.join(f'{name} {value}' for name, value in finding['witness'].items())}")
    if finding["conditions"]:
        cells = [f"{one['column']} {one['text']}" for one in finding["conditions"]]
        print_line(f"    everywhere: {', '.join(cells)}")
    print_line(f"    mend: {finding['mend']}")


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['fileName']}:{row['line']}" if row["line"] else str(row["fileName"])


def _path(draft_id: str) -> str:
    return f"{PATH}/{quote(draft_id, safe='')}"


def _files(directory: Path) -> list[dict[str, str]]:
    """What a draft is made of. Raises Failure for workbooks and for what is no text."""
    wanted = ["rulebook.yaml", *(f"{domain}.csv" for domain in DOMAINS)]
    books = [path.name for path in directory.glob("*.xlsx")]
    if books:
        raise Failure(f"{', '.join(books)}: a draft is text; turn it into CSV with: erp-gateway rules import", 2)
    try:
        return [
            {"fileName": name, "text": (directory / name).read_bytes().decode("utf-8-sig")}
            for name in wanted
            if (directory / name).exists()
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{directory} cannot be read: {error}", 2) from error


def _name(acting: Mapping[str, Any]) -> str:
    return str(acting["personName"] or acting["client"])


def _tell_activation(found: Mapping[str, Any], json: bool) -> None:
    number = found["activationNumber"]
    told = f"activation {number} is in force" if number is not None else f"{found['state']} for {found['effectiveAt']}"
    _tell(found, json, f"{found['activationId']}: {told}")


def _tell(found: Mapping[str, Any], json: bool, *lines: str) -> None:
    if json:
        print_json(dict(found))
        return
    for line in lines:
        print_line(line)
