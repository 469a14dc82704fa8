"""Anything that may be asked, in any order, against a model of the ledger."""

from contextlib import suppress
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ingest import ledger
from ingest.errors import BackfillStateError
from ingest.ledger import Lane, Ledger
from tests.ingest.ledger import books
from tests.ingest.ledger.books import ENGINE
from tests.ingest.ledger.model import RESTING, Model, Row

TABLES = "products, backfills, backfill_products, tallies, changes, pace"
LANES = st.sampled_from((Lane.MASK, Lane.PUBLISH))
VERSIONS = st.sampled_from(("1", "2"))
PRIORITIES = st.sampled_from((0, 5, 9))
TRIES = 3


class Machine(RuleBasedStateMachine):
    """A ledger and its model, asked the same."""

    book: Ledger
    witness: psycopg.Connection

    @initialize()
    def empty(self) -> None:
        for table in TABLES.split(", "):
            self.witness.execute(f"TRUNCATE ledger.{table} RESTART IDENTITY".encode())
        self.model = Model()
        self.ids: dict[str, int] = {}
        self.turns: list[tuple[int, int]] = []
        for listed in (True, False):
            self.begin(listed=listed)

    @rule(
        first=st.integers(0, 3),
        count=st.integers(1, 4),
        version=VERSIONS,
        priority=PRIORITIES,
        data=st.data(),
    )
    def want(
        self, first: int, count: int, version: str, priority: int, data: st.DataObject
    ) -> None:
        backfill = data.draw(st.sampled_from([*self.model.backfills, None]))
        wishes = books.wishes(count, first)
        if backfill and self.model.backfills[backfill] in RESTING:
            with pytest.raises(BackfillStateError):
                self.book.want(
                    wishes, ENGINE, priority=priority, version=version, backfill=backfill
                )
            return
        done = self.book.want(
            wishes, ENGINE, priority=priority, version=version, backfill=backfill
        ).done
        ids = self.witness.execute("SELECT product, id FROM ledger.products").fetchall()
        self.ids = dict(ids)
        rows = self.model.rows
        for wish in wishes:
            row = rows.get(self.ids[wish.product])
            if row is None:
                row = rows[self.ids[wish.product]] = Row(priority)
                row.state = "aborted"
            self.model.want(row, priority, version, backfill)
        assert done == sum(rows[self.ids[wish.product]].state == "done" for wish in wishes)

    @precondition(lambda self: len(self.model.backfills) < 3)
    @rule(listed=st.booleans())
    def begin(self, listed: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        backfill = self.book.backfill_create("x", ENGINE, {}, priority=5, created_by="me").id
        self.model.backfills[backfill] = "running" if listed else "listing"
        if listed:
            self.book.backfill_listed(backfill)

    @rule(lane=LANES, limit=st.integers(1, 5))
    def claim(self, lane: Lane, limit: int) -> None:
        could = self.model.claimable(lane)
        tasks = self.book.claim(lane, limit)
        assert len(tasks) == min(limit, len(could))
        taken = {task.id for task in tasks}
        assert taken <= could.keys()
        left = [row.priority for key, row in could.items() if key not in taken]
        assert all(could[task.id].priority <= min(left, default=9) for task in tasks)
        for task in tasks:
            row = could[task.id]
            row.state, row.turn = "queued", row.turn + 1
            assert (task.turn, task.attempts) == (row.turn, row.attempts)
            self.turns.append((task.id, task.turn))

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), lost=st.booleans())
    def start(self, data: st.DataObject, lost: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        key, turn = data.draw(st.sampled_from(self.turns))
        row = self.model.mine(key, turn, "queued")
        started = self.book.start(key, turn, "w", lease_s=-1 if lost else 600)
        assert (started is not None) == (row is not None)
        if row:
            row.state = "running"
            if lost:
                assert [task.id for task in self.book.reclaim(tries=TRIES)] == [key]
                self.model.lose(row, TRIES)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), lane=LANES, version=VERSIONS)
    def advance(self, data: st.DataObject, lane: Lane, version: str) -> None:
        key, turn = data.draw(st.sampled_from(self.turns))
        row = self.model.mine(key, turn, "running")
        assert self.book.advance(key, turn, lane, version=version) == (row is not None)
        if row:
            self.model.advance(row, lane, version)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), retry_in_s=st.sampled_from((None, 0.0, 3600.0)))
    def fail(self, data: st.DataObject, retry_in_s: float | None) -> None:
        key, turn = data.draw(st.sampled_from(self.turns))
        row = self.model.mine(key, turn, "running")
        assert self.book.fail(key, turn, "E", "e", retry_in_s=retry_in_s) == (row is not None)
        if row:
            self.model.fail(row, retry_in_s)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), step=st.sampled_from(("renew", "finish", "give_back")))
    def many(self, data: st.DataObject, step: str) -> None:
        turns = data.draw(st.lists(st.sampled_from(self.turns), unique=True))
        states = ("queued", "running") if step == "give_back" else ("running",)
        mine = {key: row for key, turn in turns if (row := self.model.mine(key, turn, *states))}
        told = getattr(self.book, step)(turns)
        assert told == (len(mine) if step == "give_back" else mine.keys())
        for row in mine.values():
            if step == "finish":
                row.state, row.attempts = "done", 0
            elif step == "give_back":
                row.state = self.model.ready(row)

    @precondition(lambda self: self.model.backfills)
    @rule(data=st.data(), step=st.sampled_from(("pause", "resume", "abort")))
    def steer(self, data: st.DataObject, step: str) -> None:
        backfill = data.draw(st.sampled_from([*self.model.backfills]))
        listing = self.model.backfills[backfill] == "listing"
        allowed = self.model.steer(backfill, step)
        taken = False
        with suppress(BackfillStateError):
            told = getattr(self.book, step)(backfill)
            taken = True
            if not told.listed and step == "resume":
                self.model.backfills[backfill] = "listing"
            assert told.state == self.model.backfills[backfill]
        assert taken == allowed
        assert not (listing and step == "resume" and told.state != "listing")

    @precondition(lambda self: self.model.backfills)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        backfill = data.draw(st.sampled_from([*self.model.backfills]))
        assert self.book.retry(backfill) == self.model.retry(backfill)
        told = self.book.backfill_get(backfill)
        if not told.listed and told.state != "paused":
            self.model.backfills[backfill] = "listing"

    @rule(version=VERSIONS, priority=PRIORITIES)
    def redo(self, version: str, priority: int) -> None:
        redone = self.book.redo(ENGINE, version, priority=priority)
        assert redone == self.model.redo(version, priority)

    @rule()
    def settle(self) -> None:
        assert set(self.book.settle()) == self.model.settle()

    @invariant()
    def same(self) -> None:
        rows: list[Any] = self.witness.execute(
            "SELECT id, state, lane, turn, attempts, priority, engine_version FROM ledger.products"
        ).fetchall()
        told = self.witness.execute("SELECT id, state FROM ledger.backfills").fetchall()
        assert {row[0]: row[1:] for row in rows} == {
            key: (row.state, row.lane, row.turn, row.attempts, row.priority, row.version)
            for key, row in self.model.rows.items()
        }
        assert dict(told) == self.model.backfills
        books.assert_tallies(self.witness)


def test_whatever_is_asked_in_whatever_order_the_ledger_does_as_its_model(pgstac: str) -> None:
    with ledger.opened() as book, psycopg.connect(pgstac, autocommit=True) as witness:
        Machine.book, Machine.witness = book, witness
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=15,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
