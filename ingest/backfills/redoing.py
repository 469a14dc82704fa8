"""Masking anew what another version of an engine has masked."""

from ingest.backfills.creating import LEVELS, known_versions
from ingest.errors import BackfillSpecError
from ingest.ledger import Ledger
from producer.engines import entry
from producer.errors import EngineError


def redo(book: Ledger, engine: str, *, priority: int = 9) -> int:
    """Have every product masked again that this version of an engine has not masked.

    Old masks stay until the new ones are published. Broken off, the same call takes it up.

    Args:
        book: The ledger.
        engine: Name of the engine.
        priority: 0, live, to 9.

    Returns:
        How many products.

    Raises:
        BackfillSpecError: There is no such engine, or its version is not known here.
    """
    try:
        levels = entry(engine).levels
    except EngineError as error:
        raise BackfillSpecError(str(error)) from error
    found = known_versions(book, engine, [level for level in LEVELS if level in levels])
    if not found:
        raise BackfillSpecError(
            f"the version of {engine} is not known here: it cannot run on this machine, and has"
            " masked nothing yet"
        )
    return sum(
        book.redo(engine, version, level=level, priority=priority)
        for level, version in found.items()
    )
