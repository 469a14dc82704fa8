import json
import subprocess
import sys

import pytest

from ingest import ledger


def nimbostac(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.cli", "token", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def migrated(pgstac: str) -> str:
    ledger.migrate()
    return pgstac


def test_a_token_is_made_listed_and_revoked(migrated: str) -> None:
    made = nimbostac("create", "maria", "--role", "operate", "--days", "30")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert secret not in made.stderr
    with ledger.opened() as book:
        token = book.token_check(secret)
        assert token is not None
        assert (token.name, token.role) == ("maria", "operate")
        assert token.expires is not None
        assert (token.expires - token.created).days in (29, 30)
    listed = nimbostac("list", "--json")
    (told,) = json.loads(listed.stdout)
    assert (told["name"], told["role"], told["revoked"]) == ("maria", "operate", None)
    assert secret not in listed.stdout
    assert nimbostac("revoke", "maria").returncode == 0
    with ledger.opened() as book:
        assert book.token_check(secret) is None
        trail = [(entry.action, entry.subject) for entry in book.audit_list()]
    assert trail == [("token revoke", "maria"), ("token create", "maria")]
    assert "revoked" in nimbostac("list").stdout
    assert nimbostac("revoke", "maria").returncode == 1


def test_a_name_that_is_taken_is_told_in_one_line(migrated: str) -> None:
    nimbostac("create", "maria")
    again = nimbostac("create", "maria")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("Error: there is a token 'maria' already")
