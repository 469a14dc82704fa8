"""A run over products as a person or a script follows it: bars, lines, JSON."""

import json
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from producer.ahead import Headstart, ahead
from producer.classes import CLASSES, VALID_CLASSES
from producer.errors import NoSpaceError, ProducerError
from producer.layout import MASK, file_key, stem_key
from producer.masking import Masker
from producer.product import ProductName
from producer.record import MaskRecord
from producer.storage import Storage

# The platform, the level and the day: whole names leave no room for a bar.
_NAME_LENGTH = 19
_TILE = slice(38, 44)


def bars() -> Progress:
    """Give bars on standard error, gone at the end."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
        TimeElapsedColumn(),
        console=Console(stderr=True, soft_wrap=True),
        # A pipe must get the results, which rich would take to its own console.
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    )


class _StoppedError(Exception):
    """Ends the work on a product whose mask nobody waits for any more."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    source: Path | str
    result: MaskRecord | ProducerError
    began: datetime


class Run:
    """Products on their way, two at a time: one is read while the other is inferred."""

    def __init__(self, masker: Masker, store: Storage, shown: Progress, *, as_json: bool) -> None:
        """Begin nothing yet.

        Args:
            masker: Masks them.
            store: Where it keeps the masks.
            shown: Bars, and the console for what is not a result.
            as_json: Tell of each product in a line of JSON.
        """
        self.done = self.failed = 0
        self._masker = masker
        self._store = store
        self._bars = shown
        self._as_json = as_json
        self._noted: set[str] = set()
        self._stopping = threading.Event()

    def mask(self, sources: list[Path | str]) -> None:
        """Mask them all, unless the disk is full; what comes of each is told in their order."""
        whole = self._bars.add_task("products", total=len(sources))
        with ahead(self._one, sources, Headstart(count=2, threads=2)) as outcomes:
            try:
                for outcome in outcomes:
                    self._tell(outcome)
                    self._bars.advance(whole)
                    if isinstance(outcome.result, NoSpaceError):
                        return
            finally:
                self._stopping.set()

    def _one(self, source: Path | str) -> _Outcome:
        began = datetime.now(UTC)
        last = str(source).rpartition("/")[2]
        name = f"{last[:_NAME_LENGTH]} {last[_TILE]}"
        task = self._bars.add_task(f"{name} opening", total=None)

        def show(step: str, part: int, total: int) -> None:
            if self._stopping.is_set():
                raise _StoppedError
            self._bars.update(task, description=f"{name} {step}", completed=part, total=total)

        try:
            return _Outcome(source, self._masker.mask(source, show), began)
        except ProducerError as error:
            return _Outcome(source, error, began)
        finally:
            self._bars.remove_task(task)

    def _tell(self, outcome: _Outcome) -> None:
        if isinstance(outcome.result, ProducerError):
            self.failed += 1
            facts: dict[str, Any] = {"status": "failed", "error": str(outcome.result)}
            self._bars.console.print(Text(f"Error: {outcome.result}", style="red"))
        else:
            self.done += 1
            record = outcome.result
            status = "there" if record.created < outcome.began else "made"
            facts = {"status": status, **self._facts(record)}
            for note in record.notes:
                if note not in self._noted:
                    self._noted.add(note)
                    self._bars.console.print(note, markup=False, highlight=False)
            if not self._as_json:
                typer.echo(f"{_in_words(record)} ({status})")
        if self._as_json:
            typer.echo(json.dumps({"source": str(outcome.source), **facts}))

    def _facts(self, record: MaskRecord) -> dict[str, Any]:
        name = ProductName.parse(record.product)
        stem = stem_key(name, record.engine.name, record.engine.version)
        return {
            "product": record.product,
            "mask": self._store.href(file_key(stem, MASK)),
            "engine": record.engine.name,
            "engine_version": record.engine.version,
            **{value.name.lower(): round(record.share(value), 6) for value in VALID_CLASSES},
            "timings_s": record.timings_s,
        }


def _in_words(record: MaskRecord) -> str:
    sky = ", ".join(
        f"{info.title.lower()} {100 * record.share(info.value):.1f} %"
        for info in CLASSES
        if info.value in record.engine.classes
    )
    return f"{record.product}: {sky}; {record.timings_s['total']:.0f} s"
