"""The verifiable log: an RFC 6962 tree over the ledger's entries, published as C2SP tiles and signed checkpoints.

Formats are standard, so that verification outlives this program (docs/ledger.md). `ports` says what a sequencer needs
from the store; `stored_log`, `log_files`, `stored_receipts` and `startup` are what touches it. All else knows no
database.
"""
