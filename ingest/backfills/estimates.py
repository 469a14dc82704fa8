"""Estimates: what a backfill would find and cost, told before it begins."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ingest.backfills.creating import choose
from ingest.backfills.listing import pick
from ingest.backfills.spec import BackfillSpec, StoredSpec
from ingest.filters import Acquisition, Candidate, Reason
from ingest.ledger import Lane, Ledger, State
from ingest.sources import Page


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a backfill would come to."""

    engine: str
    engine_reason: str
    found: int
    """Products that the filters want."""
    already_masked: int
    """Those of them that are masked by this version of the engine."""
    to_do: int
    bytes: int
    """Size of what is to do, as far as the source tells it."""
    bytes_unknown: int
    """Products whose size it does not tell."""
    expected_s: float | None
    """Seconds by the workers that are there now, one if there is none; ``None`` if nothing is
    known of the engine yet."""
    basis: str | None
    """What ``expected_s`` goes by."""
    skipped: dict[str, int]
    """How many products are left out, by reason."""

    def to_json(self) -> dict[str, Any]:
        """Give the facts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Sum:
    """What was found so far."""

    newest: dict[Acquisition, dict[str, tuple[bool, int | None]]] = field(default_factory=dict)
    """By acquisition: the products of its newest baseline, whether masked, and their sizes."""
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, candidates: tuple[Candidate, ...], masked: set[str]) -> None:
        """Take a page in; of one acquisition the newest baseline counts, across pages too."""
        for one in candidates:
            key = Acquisition.of(one.name)
            held = self.newest.setdefault(key, {})
            present = max((product[28:32] for product in held), default="")
            if one.name.baseline < present:
                self.skipped[str(Reason.OLDER)] += 1
                continue
            if one.name.baseline > present:
                self.skipped[str(Reason.OLDER)] += len(held)
                held.clear()
            held[one.product] = (one.product in masked, one.bytes)


def estimate(
    book: Ledger,
    spec: BackfillSpec,
    progress: Callable[[int], None] = lambda _found: None,
    *,
    may_fetch: bool = True,
) -> Estimate:
    """Go through the whole source, and change nothing.

    Args:
        book: The ledger.
        spec: What would be asked.
        progress: Told how many products were found so far.
        may_fetch: As for ``choose``.

    Raises:
        BackfillSpecError: There is no such engine, or none for that level.
        SourceError: The source does not answer, or will not.
    """
    engine = choose(book, spec, may_fetch=may_fetch)
    stored = StoredSpec.model_validate(
        {**spec.model_dump(), "engine": engine.name, "versions": engine.versions}
    )
    total = _Sum()
    for page in spec.source.open().pages(spec.filters.filters()):
        _count(book, stored, page, total)
        progress(len(total.newest))
    every = [one for held in total.newest.values() for one in held.values()]
    sizes = [size for masked, size in every if not masked]
    expected_s, basis = _expected(book, engine.name, len(sizes))
    return Estimate(
        engine=engine.name,
        engine_reason=engine.reason,
        found=len(every),
        already_masked=len(every) - len(sizes),
        to_do=len(sizes),
        bytes=sum(size or 0 for size in sizes),
        bytes_unknown=sum(size is None for size in sizes),
        expected_s=expected_s,
        basis=basis,
        skipped=dict(+total.skipped),
    )


def _count(book: Ledger, spec: StoredSpec, page: Page, total: _Sum) -> None:
    picked = pick(book, spec, page)
    total.skipped.update(picked.skipped)
    known = book.known(spec.engine, [one.product for one in picked.wanted])
    masked = {
        one.product
        for one in picked.wanted
        if (held := known.get(one.product)) is not None
        and held.state is State.DONE
        and spec.versions.get(one.name.level) in (None, held.version)
    }
    total.add(picked.wanted, masked)


def _expected(book: Ledger, engine: str, products: int) -> tuple[float | None, str | None]:
    past = book.past(engine)
    if past.products == 0:
        return None, None
    workers = max(1, sum(worker.alive and worker.lane is Lane.MASK for worker in book.workers()))
    basis = (
        f"{past.products} product{'s' * (past.products != 1)} of the ledger's own past at this"
        f" engine, {past.seconds:.1f} s each on average, by {workers} worker{'s' * (workers != 1)}"
    )
    return products * past.seconds / workers, basis
