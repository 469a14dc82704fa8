import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from fastapi.testclient import TestClient

from ingest import ledger
from ingest.admin.app import create_app
from ingest.ledger import Role

READS = (
    "/session",
    "/backfills",
    "/failures",
    "/lanes",
    "/workers",
    "/engines",
    "/audit",
    "/coverage?tile=33UUU&start=2017-01-01&end=2017-12-31",
)


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("path", [*READS, "/events"])
def test_nothing_is_told_without_a_token(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 401
    assert "nimbostac token create" in answer.json()["detail"]
    assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get(path, headers=bearer("nimbostac_wrong")).status_code == 401


def test_every_operation_but_reading_wants_the_role_operate(reading: TestClient) -> None:
    paths = create_app().openapi()["paths"]
    posts = [path for path, methods in paths.items() if "post" in methods]
    assert len(posts) == 7
    for path in posts:
        body = {"source": {"kind": "folder", "address": "/none"}} if path == "/backfills" else None
        if path == "/redo":
            body = {"engine": "ukis-csmask", "version": "2"}
        if path == "/lanes/{lane}/release":
            body = {"engine": "ukis-csmask"}
        answer = reading.post(path.format(id="abc", lane="mask"), json=body)
        assert (path, answer.status_code) == (path, 403)
        assert "operate" in answer.json()["detail"]


@pytest.mark.parametrize("path", READS)
def test_a_token_that_may_read_reads_everything(reading: TestClient, path: str) -> None:
    answer = reading.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_session_says_whose_token_it_is(client: TestClient) -> None:
    expires = datetime.now(UTC) + timedelta(days=1)
    with ledger.opened() as book:
        secret = book.token_create("maria", Role.OPERATE, expires)
    told = client.get("/session", headers=bearer(secret)).json()
    assert (told["name"], told["role"]) == ("maria", "operate")
    assert datetime.fromisoformat(told["expires"]) == expires


def test_a_token_that_has_expired_or_was_revoked_is_good_for_nothing(client: TestClient) -> None:
    with ledger.opened() as book:
        old = book.token_create("old", Role.READ, datetime.now(UTC) - timedelta(seconds=1))
        gone = book.token_create("gone", Role.READ)
    assert client.get("/session", headers=bearer(gone)).status_code == 200
    with ledger.opened() as book:
        assert book.token_revoke("gone")
    for secret in (old, gone):
        answer = client.get("/session", headers=bearer(secret))
        assert answer.status_code == 401
        assert "expired or was revoked" in answer.json()["detail"]


def test_guessing_is_slowed_down_without_asking_the_database(
    client: TestClient, secret: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = bearer(secret("read"))
    wrong = [client.get("/session", headers=bearer(f"guess {n}")).status_code for n in range(10)]
    assert wrong == [401] * 10
    with monkeypatch.context() as away:
        away.setenv("PGPORT", "1")
        answer = client.get("/session", headers=good)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_no_secret_is_in_the_database_or_in_the_log(
    client: TestClient,
    secret: Callable[[str], str],
    migrated: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    good = secret("read")
    client.get("/session", headers=bearer(good))
    client.get("/session", headers=bearer("nimbostac_guessed"))
    assert good not in caplog.text
    assert "nimbostac_guessed" not in caplog.text
    with psycopg.connect(migrated) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname = 'ledger'"
        ).fetchall()
        assert ("ledger.tokens",) in tables
        for (table,) in tables:
            rows = connection.execute(f"SELECT row_to_json(t)::text FROM {table} t").fetchall()
            assert not any(good in text for (text,) in rows)


def test_a_database_that_is_away_is_told(
    client: TestClient, secret: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = bearer(secret("read"))
    with monkeypatch.context() as away:
        away.setenv("PGPORT", "1")
        answer = client.get("/session", headers=good)
    assert answer.status_code == 503
    assert "cannot reach PostgreSQL" in answer.json()["detail"]
