"""`policies.clearing`: read with the rulebook, refused where it names what is not there."""

import pytest

from routing_rules import RulebookInvalid, account_for, clearing_accounts, parse_rulebook
from tests.line.rig import TABLES
from tests.line.split import CLEARING


def rulebook(policies: str):
    """The sample with these policies added to its own, which stand right before the company codes."""
    files = {path.name: path.read_bytes() for path in TABLES.iterdir()}
    text = files["rulebook.yaml"].decode()
    files["rulebook.yaml"] = text.replace("\ncompany_codes:\n", policies, 1).encode()
    return parse_rulebook(files)


def test_the_account_of_a_system_goes_before_that_for_all():
    accounts = clearing_accounts(rulebook(CLEARING).governance.policies)
    found = [account_for(accounts, "NW02", "NW01", system) for system in ("cloud-main", "legacy-main")]
    assert [one.account for one in found if one is not None] == ["194001", "194009"]
    assert account_for(accounts, "NW02", "NW02", "cloud-main") is None


def test_a_rulebook_without_clearing_has_no_accounts():
    assert clearing_accounts(rulebook("\ncompany_codes:\n").governance.policies) == ()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('{company_code: NW09, partner: NW01, account: "1"}', "company_code 'NW09' is no company code"),
        ('{company_code: NW01, partner: NW09, account: "1"}', "partner 'NW09' is no company code"),
        ("{company_code: NW01, partner: NW01, account: 194000}", "account '194000' is no account"),
        ('{company_code: NW01, partner: NW01, account: "1", bank_account: "x y"}', "bank_account 'x y' is no account"),
        ('{company_code: NW01, partner: NW01, account: "1", system: moon}', "system 'moon' is no system"),
        ("{company_code: NW01, partner: NW01}", "must have company_code, partner, account"),
        ('{company_code: NW01, partner: NW01, account: "1", acount: "2"}', "may have system, bank_account"),
        ("just words", "must have company_code, partner, account"),
    ],
)
def test_what_is_wrong_is_complained_about(said: str, message: str):
    with pytest.raises(RulebookInvalid) as invalid:
        rulebook(f"  clearing:\n    - {said}\n\ncompany_codes:\n")
    (complaint,) = invalid.value.complaints
    assert message in complaint.message
    assert complaint.file == "rulebook.yaml"


def test_the_same_pair_twice_and_what_is_no_list_are_complained_about():
    one = '    - {company_code: NW01, partner: NW01, account: "1"}\n'
    with pytest.raises(RulebookInvalid, match="says again"):
        rulebook(f"  clearing:\n{one}{one}\ncompany_codes:\n")
    with pytest.raises(RulebookInvalid, match="is no list"):
        rulebook("  clearing: none\n\ncompany_codes:\n")
