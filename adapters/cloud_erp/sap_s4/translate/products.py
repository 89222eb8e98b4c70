"""Products as materials. Pure.

Source: SAP Business Accelerator Hub, "Product Master" (API_PRODUCT_SRV). The external reference *is* the number,
because the caller of that service names the material and the ERP refuses a number that it has: the one document here
of which a second posting is impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.canonical import Product
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate.fields import Draft, erp_number, fitting, reference, unit
from adapters.cloud_erp.sap_s4.translate.shape import Shape
from adapters.cloud_erp.sap_s4.wire import Address, Entity, Row, Value
from adapters.errors import Misconfigured
from adapters.port import FoundDocument, Submission

EXPAND: Final = ("to_Description",)
"""All that is kept of a product."""
CHANGEABLE: Final = frozenset({"name", "discontinued"})
_SERVICE: Final = "API_PRODUCT_SRV"
_OLD_NUMBER: Final = 18
_NAME: Final = 40


def product_draft(submission: Submission, settings: S4Settings) -> Draft:
    """The material of a product. Its number is the external reference; the caller's id is its old number if it fits.

    Left out, with a note: description, category and list price (other services there).
    """
    product = _product(submission)
    standing = product_standing(submission, settings)
    entity: dict[str, Value] = {
        "Product": reference(submission.external_reference),
        "ProductType": settings.product_type,
        "Division": settings.division,
        **standing,
    }
    if product.external_id is not None and len(product.external_id) <= _OLD_NUMBER:
        entity["ProductOldID"] = product.external_id
    left = {
        "description": product.description,
        "productCategory": product.product_category,
        "listPrice": product.list_price,
    }
    return Draft(entity, tuple(f"{name} is left out" for name, value in left.items() if value))


def product_standing(submission: Submission, settings: S4Settings) -> Entity:
    """What is kept of the product, as it stands there. `Rejected` for a name that does not fit."""
    product = _product(submission)
    return {
        "BaseUnit": unit(product.base_unit_code, settings, "baseUnitCode"),
        "IsMarkedForDeletion": product.discontinued,
        "to_Description": [{"Language": settings.language, "ProductDescription": fitting(product.name, _NAME, "name")}],
    }


def product_shape(settings: S4Settings) -> Shape:
    """A material and its description in our language."""

    def in_our_language(rows: Sequence[Row]) -> Sequence[Row]:
        return [row for row in rows if row.text("Language") == settings.language]

    description = Shape(Address(_SERVICE, "A_ProductDescription"), ("Product", "Language"), ours=in_our_language)
    return Shape(
        Address(_SERVICE, "A_Product"),
        ("Product",),
        children={"to_Description": description},
        guard="IsMarkedForDeletion",
    )


def is_product(row: Row, product: Product, settings: S4Settings) -> bool:
    """True if a material read with its descriptions is what `product_draft` made of `product`."""
    names = [text.text("ProductDescription") for text in row.many("to_Description")]
    return product.name in names and settings.unit_here(row.text("BaseUnit")) == product.base_unit_code


def found_product(row: Row, system_id: str) -> FoundDocument:
    """A material."""
    number = row.number("Product")
    named = erp_number(system_id, "product", number)
    return FoundDocument(named, number, party=None, currency_code=None, total=None)


def _product(submission: Submission) -> Product:
    if not isinstance(submission.document, Product):
        raise Misconfigured(f"{submission.domain} are no products")
    return submission.document
