"""What can go wrong between a record and the catalogue.

::

    IngestError
    ├── DatabaseError
    │   ├── DatabaseUnreachableError  PostgreSQL does not answer, or stopped answering
    │   ├── DatabaseRefusedError      PostgreSQL answers, but not to this statement
    │   └── NotMigratedError          a database without pgstac, or with another version of it
    └── QueueUnreachableError         Redis does not answer, or stopped answering

``IngestError.passing`` says whether trying again later may help.
"""

from typing import ClassVar


class IngestError(Exception):
    """Base of everything that ingest raises on purpose."""

    passing: ClassVar[bool] = False
    """Whether the same call may succeed later."""


class DatabaseError(IngestError):
    """The database did not do what was asked."""


class DatabaseUnreachableError(DatabaseError):
    """PostgreSQL does not answer, or stopped answering."""

    passing: ClassVar[bool] = True

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            f"cannot reach PostgreSQL at {place}: {problem}; check that it runs"
            " (`nimbostac status`) and that PGHOST, PGPORT, PGUSER and PGDATABASE say where"
        )


class DatabaseRefusedError(DatabaseError):
    """PostgreSQL answers, but not to this statement."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"PostgreSQL at {place} refused: {problem}")


class NotMigratedError(DatabaseError):
    """A database without pgstac, or with another version of it."""

    def __init__(self, place: str, found: str | None, wanted: str) -> None:
        super().__init__(
            f"the database at {place} has {f'pgstac {found}' if found else 'no pgstac'},"
            f" wanted {wanted}; run `nimbostac migrate`"
        )


class QueueUnreachableError(IngestError):
    """Redis does not answer, or stopped answering."""

    passing: ClassVar[bool] = True

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            f"cannot reach Redis at {place}: {problem}; check that it runs"
            " (`nimbostac status`) and that NIMBOSTAC_REDIS_URL says where"
        )
