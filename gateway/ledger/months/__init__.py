"""Months of the ledger as files: written, verified, taken out of the database and put back (docs/adr/0029)."""
