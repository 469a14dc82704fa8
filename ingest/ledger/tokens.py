"""Tokens: who may ask the administration, and the trail of what was done."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ingest.errors import DatabaseRefusedError, TokenNameError
from ingest.ledger.session import Session

_PREFIX = "nimbostac_"
"""Lets whoever finds one in a log or a repository know what it is."""
# Noted once a minute at most: asking must not mean writing.
_USED = """
UPDATE ledger.tokens SET last_used = clock_timestamp() WHERE id = %(id)s
    AND (last_used IS NULL OR last_used < clock_timestamp() - interval '1 min')
"""
_CHECK = """
SELECT id, name, role, created, expires, revoked, last_used FROM ledger.tokens
WHERE sha256 = %(sha256)s AND revoked IS NULL
    AND (expires IS NULL OR expires > clock_timestamp())
"""
_LIST = """
SELECT id, name, role, created, expires, revoked, last_used FROM ledger.tokens ORDER BY id
"""
_CREATE = """
INSERT INTO ledger.tokens (name, role, sha256, expires)
VALUES (%(name)s, %(role)s, %(sha256)s, %(expires)s)
"""
_REVOKE = """
UPDATE ledger.tokens SET revoked = clock_timestamp() WHERE name = %(name)s AND revoked IS NULL
"""
_AUDIT = """
INSERT INTO ledger.audit (who, action, subject, detail)
VALUES (%(who)s, %(action)s, %(subject)s, %(detail)s)
"""
_TRAIL = """
SELECT id, at, who, action, subject, detail FROM ledger.audit
WHERE %(before)s::bigint IS NULL OR id < %(before)s ORDER BY id DESC LIMIT %(limit)s
"""


class Role(StrEnum):
    """What a token is good for."""

    READ = "read"
    OPERATE = "operate"


@dataclass(frozen=True, slots=True)
class Token:
    """Who may ask; the secret itself is nowhere."""

    id: int
    name: str
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit trail."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


class Tokens(Session):
    """Who may do what, and who did."""

    def token_create(self, name: str, role: Role, expires: datetime | None = None) -> str:
        """Make a token; gives its secret, which is told this once and kept nowhere.

        Raises:
            TokenNameError: There is one of that name.
        """
        secret = _PREFIX + secrets.token_urlsafe(32)
        told = {"name": name, "role": role, "sha256": _digest(secret), "expires": expires}
        try:
            self._run(_CREATE, told)
        except DatabaseRefusedError as error:
            if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                raise TokenNameError(name) from error
            raise
        return secret

    def token_check(self, secret: str) -> Token | None:
        """Tell whose secret it is; ``None`` if nobody's, revoked or expired."""
        row = self._row(_CHECK, {"sha256": _digest(secret)})
        if row is None:
            return None
        self._run(_USED, {"id": row["id"]})
        return _token(row)

    def token_list(self) -> list[Token]:
        """List all tokens, revoked ones too."""
        return [_token(row) for row in self._rows(_LIST)]

    def token_revoke(self, name: str) -> bool:
        """End a token at once; tells whether there was one."""
        return bool(self._run(_REVOKE, {"name": name}))

    def audit(
        self, who: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Note what somebody did.

        Args:
            who: Name of a token, or of a user of the machine.
            action: Such as ``pause``.
            subject: Such as the id of a backfill.
            detail: What else is worth knowing.
        """
        told = {"who": who, "action": action, "subject": subject}
        self._run(_AUDIT, {**told, "detail": Jsonb(dict(detail or {}))})

    def audit_list(self, limit: int = 100, before: int | None = None) -> list[Entry]:
        """List what was done, the last first; ``before`` an id for the next page."""
        return [Entry(**row) for row in self._rows(_TRAIL, {"limit": limit, "before": before})]


def _digest(secret: str) -> bytes:
    # As random as it is long: nothing slower than this is needed against guessing.
    return hashlib.sha256(secret.encode()).digest()


def _token(row: Mapping[str, Any]) -> Token:
    return Token(**{**row, "role": Role(row["role"])})
