"""What can go wrong between a record and the catalogue.

::

    IngestError
    ├── DatabaseError
    │   ├── DatabaseUnreachableError  PostgreSQL does not answer, or stopped answering
    │   ├── DatabaseRefusedError      PostgreSQL answers, but not to this statement
    │   └── NotMigratedError          a database without pgstac or ledger, or with another version
    ├── QueueUnreachableError         Redis does not answer, or stopped answering
    ├── ScratchFullError              too little room to fetch a product
    ├── SourceGoneError               a product is not where it was
    ├── TooSlowError                  a product that takes longer than it may
    ├── RecordGoneError               the record of a mask is not in storage any more
    ├── StorageEmptyError             storage without a single mask, which may be the wrong one
    ├── SourceError                   products cannot be looked for
    │   ├── SourceUnreachableError    the source does not answer, or stopped answering
    │   └── SourceRefusedError        it is not there, or will not be read
    ├── BackfillError                 a backfill that cannot be what was asked
    │   ├── BackfillSpecError         a description of a backfill that makes no sense
    │   ├── UnknownBackfillError      no backfill of that id
    │   └── BackfillStateError        a step that a backfill cannot take from where it is
    └── TokenNameError                a token of that name is there already

``IngestError.passing`` says whether trying again later may help.
"""

from pathlib import Path
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
    """A database without pgstac or ledger, or with another version of it."""

    def __init__(self, place: str, found: str | None, wanted: str, what: str = "pgstac") -> None:
        super().__init__(
            f"the database at {place} has {f'{what} {found}' if found else f'no {what}'},"
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


class ScratchFullError(IngestError):
    """Too little room to fetch a product."""

    passing: ClassVar[bool] = True

    def __init__(self, folder: Path, wanted_bytes: int) -> None:
        super().__init__(
            f"less than {wanted_bytes / 2**30:.1f} GiB are free in {folder}; make room, or name"
            " another folder in NIMBOSTAC_SCRATCH"
        )


class SourceGoneError(IngestError):
    """A product is not where it was: a folder that is not mounted, for now, or gone."""

    passing: ClassVar[bool] = True

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} is not there; is the folder mounted where the worker runs, at this place?"
        )


class TooSlowError(IngestError):
    """A product that takes longer than it may."""

    def __init__(self, lane: str, limit_s: float) -> None:
        super().__init__(f"was not done in the {lane} lane after {limit_s:.0f} s")


class RecordGoneError(IngestError):
    """The record of a mask is not in storage any more."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} is not in storage any more")


class StorageEmptyError(IngestError):
    """Storage without a single mask, which may be the wrong one."""

    def __init__(self, url: str, items: int) -> None:
        super().__init__(
            f"{url} has not a single mask, and pgstac has {items} Items: is NIMBOSTAC_STORE_URL"
            " right, and mounted? If they are lost indeed, add --storage-lost"
        )


class SourceError(IngestError):
    """Products cannot be looked for."""

    def __init__(self, address: str, problem: str) -> None:
        self.address = address
        super().__init__(f"cannot look for products in {address}: {problem}")


class SourceUnreachableError(SourceError):
    """The source does not answer, or stopped answering."""

    passing: ClassVar[bool] = True


class SourceRefusedError(SourceError):
    """The source is not there, or will not be read."""


class BackfillError(IngestError):
    """A backfill that cannot be what was asked."""


class BackfillSpecError(BackfillError):
    """A description of a backfill that makes no sense."""


class UnknownBackfillError(BackfillError):
    """No backfill of that id."""

    def __init__(self, backfill: str) -> None:
        super().__init__(f"there is no backfill {backfill!r}; `nimbostac backfill list` names all")


class BackfillStateError(BackfillError):
    """A step that a backfill cannot take from where it is."""

    def __init__(self, backfill: str, state: str, step: str) -> None:
        self.state = state
        super().__init__(f"backfill {backfill!r} is {state}: it cannot {step}")


class TokenNameError(IngestError):
    """A token of that name is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a token {name!r} already; choose another name")
