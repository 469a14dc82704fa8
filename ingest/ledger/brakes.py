"""Brakes: an engine that fails on everything in a lane stops there, and nothing else does."""

from ingest.ledger.session import Session
from ingest.ledger.turns import PROBE_S
from ingest.ledger.values import Lane

STOP_AFTER = 10
"""Failures in a row that stop an engine."""

_FAILED = """
INSERT INTO ledger.brakes AS b (lane, engine, failures_in_a_row, reason, stopped, probe)
VALUES (%(lane)s::ledger.lane, %(engine)s, 1, %(reason)s,
    CASE WHEN %(after)s <= 1 THEN clock_timestamp() END,
    clock_timestamp() + make_interval(secs => %(probe_s)s))
ON CONFLICT (lane, engine) DO UPDATE SET
    failures_in_a_row = b.failures_in_a_row + 1,
    reason = excluded.reason,
    probe = CASE WHEN b.stopped IS NULL THEN excluded.probe ELSE b.probe END,
    stopped = CASE WHEN b.failures_in_a_row + 1 >= %(after)s
        THEN coalesce(b.stopped, clock_timestamp()) END
RETURNING failures_in_a_row = %(after)s AS just
"""
_WENT_WELL = """
UPDATE ledger.brakes SET failures_in_a_row = 0, stopped = NULL, probe = NULL
WHERE lane = %(lane)s::ledger.lane AND engine = %(engine)s AND failures_in_a_row > 0
"""


class Brakes(Session):
    """What keeps a broken engine from using up everybody's attempts."""

    def outcome(  # noqa: PLR0913 - two of them have a default that operators rarely change
        self,
        lane: Lane,
        engine: str,
        ok: bool,  # noqa: FBT001 - its place in the ledger
        reason: str | None = None,
        *,
        after: int = STOP_AFTER,
        probe_s: float = PROBE_S,
    ) -> bool:
        """Note how a try of an engine went; one that went well sets it free.

        Args:
            lane: Where.
            engine: Name of the engine.
            ok: Whether the engine, not the product, is to blame for nothing.
            reason: What the error says.
            after: Failures in a row that stop it.
            probe_s: Seconds until one product of it is tried, if this stops it.

        Returns:
            Whether it has just been stopped.
        """
        told = {"lane": lane, "engine": engine}
        if ok:
            self._run(_WENT_WELL, told)
            return False
        row = self._row(_FAILED, {**told, "reason": reason, "after": after, "probe_s": probe_s})
        return bool(row["just"])

    def release(self, lane: Lane, engine: str) -> None:
        """Set an engine free that was stopped."""
        self._run(_WENT_WELL, {"lane": lane, "engine": engine})
