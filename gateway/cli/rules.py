"""`erp-gateway rules`: rule tables in files, and drafts, simulations and activations on the running gateway."""

from __future__ import annotations

import typer

from gateway.cli.listing import Listed, listing

app = typer.Typer(
    cls=listing(
        Listed("export", "rules_workbooks:export_workbook"),
        Listed("import", "rules_workbooks:import_workbook"),
        Listed("simulate", "rules_simulate:simulate"),
        Listed("dark", "rules_drafted:dark"),
        Listed("explain", "rules_explain:explain"),
        Listed("draft", "rules_drafts:draft"),
        Listed("drafts", "rules_drafts:drafts"),
        Listed("review", "rules_drafts:review"),
        Listed("approve", "rules_drafts:approve"),
        Listed("waive", "rules_drafts:waive"),
        Listed("activate", "rules_drafts:activate"),
        Listed("discard", "rules_drafts:discard"),
        Listed("rollback", "rules_drafts:rollback"),
        Listed("fetch", "rules_drafts:fetch"),
        Listed("check", "rules_check:check"),
        Listed("diff", "rules_check:diff"),
    ),
    no_args_is_help=True,
)


@app.callback()
def rules() -> None:
    """Rule tables: check, diff, explain, export, import."""
