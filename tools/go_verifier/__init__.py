"""A second opinion on the ledger: Go's own transparency-log library checks what we publish and prove."""
