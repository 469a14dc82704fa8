"""Dispatching: what is asked before anything is claimed, or swept away."""

from collections.abc import Sequence

from ingest.ledger.session import Session, Turn, among_due, columns
from ingest.ledger.values import Lane
from ingest.ledger.workers import ALIVE_S

_URGENT = among_due("""
SELECT count(*) AS n FROM (
    SELECT FROM groups g CROSS JOIN LATERAL (
        SELECT FROM ledger.products p
        WHERE p.state = 'due' AND p.lane = g.lane AND p.priority = 0 AND p.engine = g.engine
            AND p.due <= (SELECT clock_timestamp())
        LIMIT %(most)s
    ) now
    WHERE g.lane = %(lane)s::ledger.lane AND g.priority = 0 AND NOT EXISTS (
        SELECT FROM ledger.brakes b
        WHERE b.lane = g.lane AND b.engine = g.engine AND b.stopped IS NOT NULL
    )
    LIMIT %(most)s
) live
""")
_IN_SCRATCH = """
SELECT t.id, t.turn FROM unnest(%(ids)s::bigint[], %(turns)s::int[]) AS t (id, turn)
JOIN ledger.products p ON p.id = t.id
WHERE p.state IN ('held', 'due', 'queued', 'running')
    AND (p.lane = 'stage' OR p.staged LIKE format('%%%%/%%s-%%s/%%%%', t.id, t.turn))
"""
# Per host: workers of one share its scratch. What is handed out may not lie there yet.
_SCRATCH = """
SELECT (
    SELECT coalesce(sum(room), %(unseen)s) FROM (
        SELECT max(scratch_room) AS room FROM ledger.workers
        WHERE lane = 'stage' AND seen > clock_timestamp() - make_interval(secs => %(alive_s)s)
        GROUP BY host
    ) hosts
) - (
    SELECT count(*) FROM ledger.products WHERE lane = 'stage' AND state IN ('queued', 'running')
) AS n
"""


class Dispatching(Session):
    """What the dispatcher wants to know."""

    def scratch_room(self, unseen: int) -> int:
        """Tell how many more products may be handed out to be fetched; none if not positive.

        Args:
            unseen: Room for how many to believe in while no worker says what it has.
        """
        return int(self._row(_SCRATCH, {"unseen": unseen, "alive_s": ALIVE_S})["n"])

    def urgent(self, lane: Lane, most: int) -> int:
        """Count what is live and due now, up to a limit; engines that are stopped left out."""
        return int(self._row(_URGENT, {"lane": lane, "most": most})["n"])

    def in_scratch(self, turns: Sequence[Turn]) -> set[Turn]:
        """Tell which folders of scratch, named by id and turn, are still wanted.

        A product that is to be masked has what it was staged to; one that is not fetched yet may
        take up what came before.
        """
        rows = self._rows(_IN_SCRATCH, columns(turns))
        return {(row["id"], row["turn"]) for row in rows}
