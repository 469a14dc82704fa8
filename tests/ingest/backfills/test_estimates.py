from collections.abc import Callable

import pytest

from ingest.backfills.creating import create
from ingest.backfills.estimates import estimate
from ingest.backfills.listing import step
from ingest.backfills.spec import BackfillSpec
from ingest.errors import BackfillSpecError
from ingest.filters import Reason
from ingest.ledger import Lane, Ledger, WorkerState
from ingest.sources import tree
from tests.ingest.backfills.test_listing import mask
from tests.ingest.sources.listings import name

Ask = Callable[..., BackfillSpec]
NAMES = [name(day) for day in range(5)]


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_an_estimate_says_what_the_backfill_then_finds(
    book: Ledger, asked: Ask, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(tree, "PAGE", page)
    old = [name(day, baseline="0205") for day in (0, 1)]
    new = name(1, baseline="0511")
    mask(book, NAMES[2], "1.0.0")
    spec = asked(*NAMES, *old, new, filters={"tiles": ["33UUU"], "end": "2020-05-04"})
    told = []
    found = estimate(book, spec, told.append)
    assert (found.found, found.already_masked, found.to_do) == (4, 1, 3)
    assert found.skipped == {Reason.OLDER: 3, Reason.DATES: 1}
    assert (found.bytes, found.bytes_unknown) == (0, 3)
    assert told
    assert told[-1] == 4
    assert book.backfill_list() == []
    made = create(book, spec, "test")
    while step(book, book.backfill_get(made.id)):
        continue
    after = book.backfill_get(made.id)
    assert (after.found, after.skipped) == (found.found, found.skipped)


def test_the_time_goes_by_what_the_engine_took_and_by_the_workers_that_are_there(
    book: Ledger, asked: Ask
) -> None:
    spec = asked(*NAMES)
    assert estimate(book, spec).expected_s is None
    mask(book, name(20), "1.0.0")
    alone = estimate(book, spec)
    assert alone.expected_s == 5 * 8.0
    assert "by 1 worker" in str(alone.basis)
    for number in range(2):
        book.beat(WorkerState(f"host:{number}:mask", Lane.MASK, "host", number))
    book.beat(WorkerState("host:9:publish", Lane.PUBLISH, "host", 9))
    both = estimate(book, spec)
    assert both.expected_s == 5 * 8.0 / 2
    assert "by 2 workers" in str(both.basis)


def test_an_engine_that_there_is_not_is_refused(book: Ledger, asked: Ask) -> None:
    for act in (lambda spec: estimate(book, spec), lambda spec: create(book, spec, "test")):
        with pytest.raises(BackfillSpecError, match="nonesuch"):
            act(asked(engine="nonesuch"))
