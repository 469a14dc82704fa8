from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ingest.errors import TokenNameError
from ingest.ledger import Ledger, Role


def test_a_secret_is_good_for_what_its_token_is_good_for(book: Ledger) -> None:
    reader = book.token_create("reader", Role.READ)
    operator = book.token_create("operator", Role.OPERATE)
    for secret, name, role in (
        (reader, "reader", Role.READ),
        (operator, "operator", Role.OPERATE),
    ):
        token = book.token_check(secret)
        assert token is not None
        assert (token.name, token.role) == (name, role)
    assert book.token_check(reader + "x") is None
    assert book.token_check("") is None


def test_a_secret_is_nowhere_in_the_database(book: Ledger, pgstac: str) -> None:
    secret = book.token_create("one", Role.READ)
    book.token_check(secret)
    with psycopg.connect(pgstac) as connection:
        rows = connection.execute(
            "SELECT t::text, encode(t.sha256, 'escape') FROM ledger.tokens t"
        ).fetchall()
    assert secret not in str(rows)
    assert secret.removeprefix("nimbostac_") not in str(rows)
    assert len(secret) > 40


def test_a_token_ends_when_it_expires_or_is_revoked(book: Ledger) -> None:
    now = datetime.now(UTC)
    old = book.token_create("old", Role.READ, now - timedelta(seconds=1))
    young = book.token_create("young", Role.READ, now + timedelta(days=1))
    assert book.token_check(old) is None
    assert book.token_check(young) is not None
    assert book.token_revoke("young")
    assert book.token_check(young) is None
    assert not book.token_revoke("young")
    assert not book.token_revoke("absent")
    listed = {token.name: token for token in book.token_list()}
    assert listed["young"].revoked is not None
    assert listed["young"].last_used is not None
    assert listed["old"].last_used is None


def test_a_name_is_taken_once(book: Ledger) -> None:
    book.token_create("one", Role.READ)
    with pytest.raises(TokenNameError, match="a token 'one' already"):
        book.token_create("one", Role.OPERATE)


def test_the_audit_trail_tells_who_did_what_the_last_first(book: Ledger) -> None:
    for number in range(5):
        book.audit("ann", "pause", f"backfill {number}", {"number": number})
    book.audit("ben", "abort", "backfill 1")
    first, second, *_ = book.audit_list()
    assert (first.who, first.action, first.subject, first.detail) == (
        "ben",
        "abort",
        "backfill 1",
        {},
    )
    assert (second.who, second.detail) == ("ann", {"number": 4})
    page = book.audit_list(limit=4)
    rest = book.audit_list(limit=4, before=page[-1].id)
    assert [one.id for one in page + rest] == [6, 5, 4, 3, 2, 1]
