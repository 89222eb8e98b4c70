"""From canonical documents to SAP's entities and back, by noun. Pure, and in no dialect of OData."""
