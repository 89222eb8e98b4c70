"""`erp-gateway cutover`: what people do to slices, overlays and periods."""

from __future__ import annotations

import typer

from gateway.cli import cutover_adopt, cutover_board, cutover_overlay, cutover_period

app = typer.Typer(no_args_is_help=True)
app.add_typer(cutover_overlay.app, name="overlay", help="Freezes, holds and pauses: set, lift, list.")
app.add_typer(cutover_period.app, name="period", help="Fiscal periods: close, reopen, list.")
app.command("board")(cutover_board.board)
app.command("drain")(cutover_board.drain)
app.command("gates")(cutover_board.gates)
app.command("adopt")(cutover_adopt.adopt)
