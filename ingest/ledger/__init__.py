"""The ledger: what is wanted, how far it is, and who may do what next."""

from ingest.ledger.book import Ledger, opened
from ingest.ledger.schema import migrate
from ingest.ledger.tokens import Entry, Role, Token
from ingest.ledger.values import (
    Backfill,
    BackfillState,
    Brake,
    Covered,
    Failure,
    Lane,
    LaneState,
    Progress,
    State,
    Task,
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
