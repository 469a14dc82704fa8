"""Rounds: the same products again and again, each time with other faults at other moments."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.faults.faults import Fault
from tests.faults.outcome import Difference, End, compare, end
from tests.faults.site import Site

_SPAN = 1.3
"""Moments of faults lie within so many times what an undisturbed run takes."""


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing struck."""

    end: End
    seconds: float


@dataclass(frozen=True)
class Round:
    """What came of one round."""

    seed: int
    kinds: tuple[str, ...]
    difference: Difference
    seconds: float


def undisturbed(site: Site) -> Undisturbed:
    """Do all products of a site while nothing goes wrong."""
    seconds = _run(site, [])
    found = end(site)
    assert compare(found, found).other == (), compare(found, found)
    assert {row[0] for row in found.ledger.values()} == {"done"}, found.ledger
    assert len(found.items) == len(found.pixels) == len(found.ledger) == len(site.sources)
    return Undisturbed(found, seconds)


def some(kinds: Sequence[type[Fault]], seed: int) -> list[type[Fault]]:
    """Choose one to three kinds of faults; the same by the same number."""
    chance = Random(seed)
    return chance.sample(kinds, min(len(kinds), chance.choice([1, 1, 2, 3])))


def play(site: Site, calm: Undisturbed, seed: int, kinds: Sequence[type[Fault]]) -> Round:
    """Do them all again, with faults at random moments.

    Args:
        site: Where.
        calm: What it came to when nothing went wrong.
        seed: The same moments and victims by the same number.
        kinds: Which faults.
    """
    chance = Random(seed)
    steps: list[tuple[float, Fault, bool]] = []
    for kind in kinds:
        fault = kind(site, chance)
        start_s = chance.uniform(0, _SPAN * calm.seconds)
        steps.append((start_s, fault, True))
        steps.append((start_s + chance.uniform(0.1, 2.5), fault, False))
    seconds = _run(site, sorted(steps, key=lambda step: step[0]))
    # What a worker that was killed left in scratch is removed by the others, by and by.
    if end(site).scratch:
        site.wait(lambda: not end(site).scratch, "the sweeping of scratch", 60)
    names = tuple(kind.kind for kind in kinds)
    return Round(seed, names, compare(calm.end, end(site)), seconds)


def _run(site: Site, steps: Sequence[tuple[float, Fault, bool]]) -> float:
    site.forget()
    began = time.monotonic()
    site.want()
    for moment, fault, strikes in steps:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        if strikes:
            fault.strike()
        else:
            fault.heal()
    for _, fault, strikes in steps:
        if strikes:
            fault.end()
    site.wait(site.done, "the end of all products")
    return time.monotonic() - began
