"""Progress: how far a backfill is, and how much there is to do in each lane."""

from ingest.errors import UnknownBackfillError
from ingest.ledger.session import Session, among_due
from ingest.ledger.values import Brake, Lane, LaneState, Progress, State

_MOST_DELAYED = 1000
_COUNTS = """
SELECT state, sum(n)::bigint AS n FROM (
    SELECT state, n FROM ledger.tallies WHERE backfill = %(id)s
    UNION ALL SELECT state, n FROM ledger.changes WHERE backfill = %(id)s
) counted GROUP BY state
"""
# From the beginning of a minute, as they are counted by the minute.
_PACE = """
SELECT sum(n)::float8 / greatest(1, extract(epoch FROM clock_timestamp() - s.start)) * 3600 AS rate
FROM (
    SELECT greatest(created, date_trunc('minute', clock_timestamp() - interval '15 min')) AS start
    FROM ledger.backfills WHERE id = %(id)s
) s CROSS JOIN LATERAL (
    SELECT n FROM ledger.pace
        WHERE backfill = %(id)s AND minute >= date_trunc('minute', s.start)
    UNION ALL SELECT finished FROM ledger.changes WHERE backfill = %(id)s AND at >= s.start
    UNION ALL SELECT 0
) paced GROUP BY s.start
"""
_LANES = """
SELECT lane, state, sum(n)::bigint AS n FROM (
    SELECT lane, state, n FROM ledger.tallies WHERE backfill = ''
    UNION ALL SELECT lane, state, n FROM ledger.changes WHERE backfill = ''
) counted GROUP BY lane, state
"""
_DELAYED = among_due("""
SELECT lane, least(sum(n), %(most)s)::bigint AS n FROM (
    SELECT g.lane, (
        SELECT count(*) FROM (
            SELECT FROM ledger.products p
            WHERE p.state = 'due' AND p.lane = g.lane AND p.priority = g.priority
                AND p.engine = g.engine AND p.due > (SELECT clock_timestamp())
            LIMIT %(most)s
        ) later
    ) AS n FROM groups g
) counted GROUP BY lane
""")
_BRAKES = """
SELECT lane, engine, failures_in_a_row, stopped, reason FROM ledger.brakes
WHERE failures_in_a_row > 0 ORDER BY lane, engine
"""


class Reports(Session):
    """What operators want to know."""

    def progress(self, id: str) -> Progress:  # noqa: A002 - its name in the ledger
        """Tell how far a backfill is.

        Raises:
            UnknownBackfillError: There is none of that id.
        """
        self._run("SELECT ledger.fold()")
        with self.transaction():
            counts = dict.fromkeys(State, 0)
            counts |= {State(row["state"]): row["n"] for row in self._rows(_COUNTS, {"id": id})}
            paced = self._row(_PACE, {"id": id})
        if paced is None:
            raise UnknownBackfillError(id)
        told = Progress(counts, paced["rate"], None)
        if told.left == 0:
            return Progress(counts, told.rate_per_hour, 0.0)
        if told.rate_per_hour == 0:
            return told
        return Progress(counts, told.rate_per_hour, told.left / told.rate_per_hour * 3600)

    def lanes(self) -> list[LaneState]:
        """Tell how much there is to do in each lane."""
        self._run("SELECT ledger.fold()")
        counts: dict[tuple[str, str], int] = {
            (row["lane"], row["state"]): row["n"] for row in self._rows(_LANES)
        }
        delayed = {row["lane"]: row["n"] for row in self._rows(_DELAYED, {"most": _MOST_DELAYED})}
        brakes = [
            (
                row["lane"],
                Brake(row["engine"], row["failures_in_a_row"], row["stopped"], row["reason"]),
            )
            for row in self._rows(_BRAKES)
        ]

        def count(lane: Lane, state: State) -> int:
            return counts.get((lane, state), 0)

        return [
            LaneState(
                lane=lane,
                due=count(lane, State.DUE),
                delayed=delayed.get(lane, 0),
                queued=count(lane, State.QUEUED),
                running=count(lane, State.RUNNING),
                failed=count(lane, State.FAILED),
                held=count(lane, State.HELD),
                brakes=tuple(brake for where, brake in brakes if where == lane),
            )
            for lane in Lane
        ]
