"""The demo's documents have the customer and currency of what they follow, or the gateway would refuse them."""

from gateway.demo.northwind import load_northwind


def test_what_follows_agrees_with_what_it_follows() -> None:
    northwind = load_northwind()
    known = {(one.domain, one.external_id): one for one in (*northwind.orders, *northwind.invoices)}
    followed = 0
    for document in (*northwind.invoices, *northwind.payments):
        for link in document.links():
            if link.kind == "follows":
                parent = known[link.target_domain, link.reference.external_id]
                # masters are salesforce's, whoever names them
                assert document.customer.external_id == parent.customer.external_id
                assert document.currency_code == parent.currency_code
                followed += 1
    assert followed == 2 * 809
