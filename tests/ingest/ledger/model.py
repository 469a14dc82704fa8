"""What a ledger ought to do, in a few lines of Python that know no SQL."""

from dataclasses import dataclass, field

LANES = ("mask", "publish")
RESTING = ("done", "failed", "aborted")
OPEN = ("listing", "running")


@dataclass
class Row:
    """One product."""

    priority: int
    state: str = "due"
    lane: str = "mask"
    turn: int = 0
    attempts: int = 0
    version: str | None = None
    delayed: bool = False
    backfills: set[str] = field(default_factory=set)

    def anew(self, priority: int | None = None) -> None:
        """Begin from the beginning."""
        self.lane, self.attempts, self.delayed = "mask", 0, False
        self.priority = self.priority if priority is None else priority


class Model:
    """All products and backfills."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.backfills: dict[str, str] = {}

    def ready(self, row: Row, but: str | None = None) -> str:
        """Where a product goes that is to go on: due, or held if all that want it are paused."""
        wants = {self.backfills[one] for one in row.backfills if one != but}
        return "held" if "paused" in wants and not wants & {*OPEN} else "due"

    def want(self, row: Row, priority: int, version: str, backfill: str | None) -> None:
        state = "held" if backfill and self.backfills[backfill] == "paused" else "due"
        if row.state in ("failed", "aborted") or (row.state == "done" and row.version != version):
            row.state = state
            row.anew(priority)
        elif row.state not in RESTING:
            row.priority = min(row.priority, priority)
            if row.state == "held" and state == "due":
                row.state = "due"
        if backfill:
            row.backfills.add(backfill)

    def claimable(self, lane: str) -> dict[int, Row]:
        return {
            key: row
            for key, row in self.rows.items()
            if row.state == "due" and row.lane == lane and not row.delayed
        }

    def mine(self, key: int, turn: int, *states: str) -> Row | None:
        row = self.rows.get(key)
        return row if row and row.turn == turn and row.state in states else None

    def advance(self, row: Row, lane: str, version: str) -> None:
        if LANES.index(lane) > LANES.index(row.lane):
            row.attempts = 0
        row.state, row.lane, row.version, row.delayed = self.ready(row), lane, version, False

    def fail(self, row: Row, retry_in_s: float | None) -> None:
        row.attempts += 1
        row.state = "failed" if retry_in_s is None else self.ready(row)
        row.delayed = bool(retry_in_s)

    def lose(self, row: Row, tries: int) -> None:
        row.attempts += 1
        row.delayed = False
        row.state = "failed" if row.attempts >= tries else self.ready(row)

    def steer(self, backfill: str, step: str) -> bool:
        """Pause, resume or abort a backfill; tells whether it may be."""
        allowed = {
            "pause": {*OPEN, "paused"},
            "resume": {*OPEN, "paused"},
            "abort": {*OPEN, "paused", "aborted"},
        }
        if self.backfills[backfill] not in allowed[step]:
            return False
        after = {"pause": "paused", "resume": "running", "abort": "aborted"}
        self.backfills[backfill] = after[step]
        for row in self.rows.values():
            if backfill in row.backfills:
                getattr(self, f"_{step}")(row, backfill)
        return True

    def retry(self, backfill: str) -> int:
        if self.backfills[backfill] != "paused":
            self.backfills[backfill] = "running"
        tried = [
            row
            for row in self.rows.values()
            if backfill in row.backfills and row.state in ("failed", "aborted")
        ]
        for row in tried:
            row.anew()
            row.state = self.ready(row)
        return len(tried)

    def redo(self, version: str, priority: int) -> int:
        again = [
            row for row in self.rows.values() if row.state == "done" and row.version != version
        ]
        for row in again:
            row.anew(priority)
            row.state = self.ready(row)
        return len(again)

    def settle(self) -> set[str]:
        over = {
            key
            for key, state in self.backfills.items()
            if state == "running"
            and all(row.state in RESTING for row in self.rows.values() if key in row.backfills)
        }
        self.backfills.update(dict.fromkeys(over, "done"))
        return over

    def _pause(self, row: Row, _: str) -> None:
        if row.state in ("due", "queued"):
            row.state = "held" if self.ready(row) == "held" else row.state

    def _resume(self, row: Row, _: str) -> None:
        if row.state == "held":
            row.state = "due"

    def _abort(self, row: Row, backfill: str) -> None:
        wants = {self.backfills[one] for one in row.backfills if one != backfill}
        if row.state in RESTING or wants & {*OPEN}:
            return
        if "paused" not in wants:
            row.state = "aborted"
        elif row.state in ("due", "queued"):
            row.state = "held"
