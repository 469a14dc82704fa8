"""Creating backfills: the engine chosen once and for all, the products to be listed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.backfills.spec import BackfillSpec, StoredSpec
from ingest.errors import BackfillSpecError
from ingest.ledger import Backfill, Ledger
from producer.engines import entry, versions
from producer.engines.choice import AUTO, Choice, resolve
from producer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = ("L1C", "L2A")
_NO_WEIGHTS = (
    "ukis-csmask, because KappaMask's weights are not on the machine that was asked;"
    " `nimbostac weights fetch` brings them there"
)


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine of a backfill."""

    name: str
    reason: str
    """Why it was taken; empty where it was asked for by name."""
    versions: dict[str, str]
    """By level; a level that nobody knows the version of is left out."""


def create(
    book: Ledger, spec: BackfillSpec, created_by: str, *, may_fetch: bool = True
) -> Backfill:
    """Begin a backfill; the dispatcher lists its products.

    Args:
        book: The ledger.
        spec: What is asked; the engine ``auto`` is resolved here, and what it was resolved to is
            kept with it.
        created_by: Who asks.
        may_fetch: As for ``choose``.

    Raises:
        BackfillSpecError: There is no such engine, or none for that level.
        SourceRefusedError: The source's address cannot be.
    """
    spec.source.open()
    engine = choose(book, spec, may_fetch=may_fetch)
    stored = StoredSpec(
        **{
            **spec.model_dump(exclude={"source", "filters"}),
            "source": spec.source,
            "filters": spec.filters,
            "engine": engine.name,
            "engine_reason": engine.reason,
            "versions": engine.versions,
        }
    )
    with book.transaction():
        backfill = book.backfill_create(
            spec.name or _name(spec),
            engine.name,
            stored.model_dump(mode="json", exclude_defaults=False),
            priority=spec.priority,
            created_by=created_by,
        )
        if spec.kind == "watch":
            # Looked after by `nimbostac watch`, never by the dispatcher.
            book.backfill_listed(backfill.id)
        return book.backfill_get(backfill.id)


def choose(book: Ledger, spec: BackfillSpec, *, may_fetch: bool = True) -> Engine:
    """Resolve the engine to one name, and tell its versions.

    Args:
        book: The ledger.
        spec: What is asked.
        may_fetch: Whether weights may be fetched to find out what ``auto`` is: minutes of a line
            that is slow, seconds without one. A service answers by what it has.

    Raises:
        BackfillSpecError: There is no such engine, or none for that level.
    """
    levels = LEVELS if spec.filters.level is None else (spec.filters.level,)
    try:
        choices = [_resolved(spec.engine, level, may_fetch=may_fetch) for level in levels]
        chosen = next((one for one in choices if one.engine != choices[0].engine), choices[0])
        # One engine for the whole backfill: KappaMask only if it can mask every level of it.
        if chosen.engine == "kappamask" and len({one.engine for one in choices}) > 1:
            chosen = choices[0]
        refused = [level for level in levels if level not in entry(chosen.engine).levels]
    except EngineError as error:
        raise BackfillSpecError(str(error)) from error
    if refused and spec.filters.level is not None:
        raise BackfillSpecError(f"the engine {chosen.engine} does not take {refused[0]}")
    reason = chosen.reason if spec.engine == AUTO else ""
    return Engine(chosen.engine, reason, known_versions(book, chosen.engine, levels))


def _resolved(name: str, level: str, *, may_fetch: bool) -> Choice:
    if name == AUTO and not may_fetch and versions.version("kappamask", level) is None:
        return Choice("ukis-csmask", _NO_WEIGHTS)
    return resolve(name, level)


def known_versions(book: Ledger, engine: str, levels: "Sequence[str]" = LEVELS) -> dict[str, str]:
    """Tell the versions of an engine by level: this machine's, else what masked last."""
    found = {
        level: versions.version(engine, level) or book.latest_version(engine, level)
        for level in levels
    }
    return {level: version for level, version in found.items() if version is not None}


def _name(spec: BackfillSpec) -> str:
    filters = spec.filters
    days = f"{filters.start or ''}/{filters.end or ''}".strip("/")
    tiles = ", ".join(filters.tiles[:3]) + (" …" if len(filters.tiles) > 3 else "")  # noqa: PLR2004
    return " ".join(filter(None, (spec.source.open().address, days, tiles)))
