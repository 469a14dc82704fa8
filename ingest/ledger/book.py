"""The whole ledger, open."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest.database import connected
from ingest.ledger import schema
from ingest.ledger.brakes import Brakes
from ingest.ledger.coverage import Coverage
from ingest.ledger.dispatching import Dispatching
from ingest.ledger.lookups import Lookups
from ingest.ledger.progress import Reports
from ingest.ledger.restoring import Restoring
from ingest.ledger.steering import Steering
from ingest.ledger.tokens import Tokens
from ingest.ledger.turns import Turns
from ingest.ledger.wishes import Wishes
from ingest.ledger.workers import Workers


class Ledger(
    Wishes,
    Turns,
    Dispatching,
    Steering,
    Reports,
    Brakes,
    Workers,
    Tokens,
    Coverage,
    Lookups,
    Restoring,
):
    """What is wanted, how far it is, and who may do what next.

    Every method is one transaction, unless it is called inside ``transaction()``. All of them
    raise ``DatabaseError`` where the database does not do what it is asked.
    """


@contextmanager
def opened() -> Iterator[Ledger]:
    """Connect while the block runs; not to be shared between threads.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
        NotMigratedError: There is no ledger, or another version of it.
    """
    # A process that stops in the middle must not keep rows locked for ever.
    with connected("idle_in_transaction_session_timeout TO '2min'") as connection:
        schema.require(connection)
        yield Ledger(connection)
