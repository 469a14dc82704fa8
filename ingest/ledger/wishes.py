"""Wishes: products that are to be masked."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from ingest.errors import BackfillStateError, UnknownBackfillError
from ingest.ledger.session import Session
from ingest.ledger.values import BackfillState, Lane, Wanted, Wish
from producer import staging
from producer.errors import ProductNameError
from producer.product import ProductName

_CHUNK = 1000
"""Products that one statement is about."""

# What rests is tried anew; what waits is hurried, and begins anew where it lies elsewhere now.
_WANT = """
INSERT INTO ledger.products AS p
    (engine, product, source, bytes, level, tile, sensed, lane, entry, priority, state)
SELECT %(engine)s, w.product, w.source, w.bytes, w.level, w.tile, w.sensed,
    w.lane::ledger.lane, w.lane::ledger.lane, %(priority)s, %(state)s::ledger.state
FROM unnest(%(products)s::text[], %(sources)s::text[], %(sizes)s::bigint[], %(levels)s::text[],
    %(tiles)s::text[], %(sensed)s::timestamptz[], %(lanes)s::text[])
    AS w (product, source, bytes, level, tile, sensed, lane)
ORDER BY w.product COLLATE "C"
ON CONFLICT (product, engine) DO UPDATE SET
    state = CASE
        WHEN p.state IN ('done', 'failed', 'aborted') THEN excluded.state
        WHEN p.state = 'held' AND excluded.state = 'due' THEN 'due'
        ELSE p.state END,
    priority = CASE
        WHEN p.state IN ('done', 'failed', 'aborted') THEN excluded.priority
        ELSE least(p.priority, excluded.priority) END,
    due = CASE WHEN {anew} THEN clock_timestamp() ELSE p.due END,
    lane = CASE WHEN {anew} THEN excluded.lane ELSE p.lane END,
    entry = CASE WHEN {anew} THEN excluded.entry ELSE p.entry END,
    source = CASE WHEN {anew} THEN excluded.source ELSE p.source END,
    bytes = CASE WHEN {anew} THEN excluded.bytes ELSE p.bytes END,
    attempts = CASE WHEN {anew} THEN 0 ELSE p.attempts END,
    staged = CASE WHEN {anew} THEN NULL ELSE p.staged END,
    error_kind = CASE WHEN {anew} THEN NULL ELSE p.error_kind END,
    error = CASE WHEN {anew} THEN NULL ELSE p.error END,
    updated = clock_timestamp()
WHERE p.state IN ('failed', 'aborted')
    OR p.state = 'done' AND p.engine_version IS DISTINCT FROM %(version)s
    OR p.state = 'held' AND excluded.state = 'due'
    OR p.state IN ('held', 'due') AND p.source <> excluded.source
    OR p.state NOT IN ('done', 'failed', 'aborted') AND p.priority > excluded.priority
RETURNING xmax = 0 AS new
""".replace(
    "{anew}",
    "(p.state IN ('done', 'failed', 'aborted')"
    " OR p.state IN ('held', 'due') AND p.source <> excluded.source)",
)


class Wishes(Session):
    """What is wanted."""

    def want(
        self,
        wishes: Iterable[Wish],
        engine: str,
        *,
        priority: int,
        version: str,
        backfill: str | None = None,
    ) -> Wanted:
        """Put products on their way; asking again means trying again, and harms nothing.

        Args:
            wishes: Products; of two with one name the last counts.
            engine: Name of the engine.
            priority: 0, live, to 9. What is on its way already keeps the more urgent of both.
            version: Version of the engine that is wanted: what it has masked stays as it is.
            backfill: Backfill that they belong to from now on.

        Raises:
            UnknownBackfillError: There is no such backfill.
            BackfillStateError: The backfill is aborted, done or failed.
        """
        found = Wanted(0, 0, 0)
        # In one order for everybody: two that want the same never wait for each other.
        unique = sorted({wish.product: wish for wish in wishes}.items())
        with self.transaction():
            state = self._entry_state(backfill)
            for chunk in _chunks([wish for _, wish in unique]):
                parameters = {
                    **_parameters(chunk),
                    "engine": engine,
                    "priority": priority,
                    "version": version,
                    "state": state,
                    "backfill": backfill,
                }
                new = sum(row["new"] for row in self._rows(_WANT, parameters))
                done = self._row(
                    "SELECT count(*) AS n FROM ledger.products WHERE engine = %(engine)s"
                    " AND product = ANY(%(products)s) AND state = 'done'",
                    parameters,
                )["n"]
                if backfill is not None:
                    self._run(
                        "INSERT INTO ledger.backfill_products (backfill, product)"
                        " SELECT %(backfill)s, id FROM ledger.products WHERE engine = %(engine)s"
                        " AND product = ANY(%(products)s) ORDER BY id ON CONFLICT DO NOTHING",
                        parameters,
                    )
                known = len(chunk) - new - done
                found = Wanted(found.new + new, found.known + known, found.done + done)
        return found

    def _entry_state(self, backfill: str | None) -> str:
        if backfill is None:
            return "due"
        # Locked: who pauses or aborts it waits, and then finds all of these products.
        row = self._row(
            "SELECT state FROM ledger.backfills WHERE id = %(id)s FOR SHARE", {"id": backfill}
        )
        if row is None:
            raise UnknownBackfillError(backfill)
        state = BackfillState(row["state"])
        if state is BackfillState.PAUSED:
            return "held"
        if state not in (BackfillState.LISTING, BackfillState.RUNNING):
            raise BackfillStateError(backfill, state, "take products")
        return "due"


def _parameters(chunk: Sequence[Wish]) -> dict[str, list[Any]]:
    names = [_name(wish.product) for wish in chunk]
    remote = [staging.is_remote(wish.source) for wish in chunk]
    return {
        "products": [wish.product for wish in chunk],
        "sources": [wish.source for wish in chunk],
        "sizes": [wish.bytes for wish in chunk],
        "levels": [name and name.level for name in names],
        "tiles": [name and name.tile for name in names],
        "sensed": [name and name.sensed for name in names],
        "lanes": [Lane.STAGE if far else Lane.MASK for far in remote],
    }


def _name(product: str) -> ProductName | None:
    try:
        return ProductName.parse(product)
    except ProductNameError:
        # Its worker will say so.
        return None


def _chunks(wishes: Iterable[Wish]) -> Iterator[list[Wish]]:
    rest = iter(wishes)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
