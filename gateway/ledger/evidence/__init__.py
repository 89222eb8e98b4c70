"""Evidence packs: what a transaction, a lineage, a change of the rules or a sample left behind, in one signed file that
a stranger can read and verify without us (docs/ledger.md, 'Evidence packs'; ADR 0024)."""
