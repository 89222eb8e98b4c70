"""What is kept of a refusal: its words with a salt, which nobody is shown."""

from __future__ import annotations

import json

from gateway.domain.identity import content_hash
from gateway.domain.refusals import SALT, kept_refusal_text, shown_refusal

WORDS = {"code": "rejected-by-erp", "detail": "Müller is blocked", "erp": {"message": "Müller"}}


def test_the_same_words_are_committed_to_otherwise_each_time() -> None:
    first, second = (kept_refusal_text(WORDS, salt) for salt in (b"a" * 16, b"b" * 16))
    plain = json.dumps(WORDS, ensure_ascii=False)
    assert len({content_hash(one.encode()) for one in (first, second, plain)}) == 3
    assert shown_refusal(first) == shown_refusal(second) == WORDS


def test_words_that_are_kept_again_have_one_salt() -> None:
    again = kept_refusal_text(json.loads(kept_refusal_text(WORDS, b"a" * 16)), b"b" * 16)
    assert again == kept_refusal_text(WORDS, b"b" * 16)
    assert json.loads(again)[SALT] == "62" * 16


def test_what_was_kept_before_salts_is_shown_too() -> None:
    assert shown_refusal(json.dumps(WORDS)) == WORDS
    assert shown_refusal(None) is None
