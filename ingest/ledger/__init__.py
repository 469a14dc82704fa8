"""The ledger: what is wanted, how far it is, and who may do what next."""

from ingest.ledger.book import Ledger, opened
from ingest.ledger.schema import migrate
from ingest.ledger.values import (
    Backfill,
    BackfillState,
    Brake,
    Covered,
    Entry,
    Failure,
    Lane,
    LaneState,
    Progress,
    Role,
    State,
    Task,
    Token,
    Wanted,
    Wish,
    WorkerState,
)

__all__ = [
    "Backfill",
    "BackfillState",
    "Brake",
    "Covered",
    "Entry",
    "Failure",
    "Lane",
    "LaneState",
    "Ledger",
    "Progress",
    "Role",
    "State",
    "Task",
    "Token",
    "Wanted",
    "Wish",
    "WorkerState",
    "migrate",
    "opened",
]
