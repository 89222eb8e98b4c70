"""The Northwind sample data as ERP traffic; where they come from and their licence: `PROVENANCE.md`."""

from gateway.demo.northwind.documents import (
    BILLING,
    COMPANY_CODE,
    CURRENCY,
    SALESFORCE,
    Lineage,
    Northwind,
    load_northwind,
)

__all__ = ["BILLING", "COMPANY_CODE", "CURRENCY", "SALESFORCE", "Lineage", "Northwind", "load_northwind"]
