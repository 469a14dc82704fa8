"""Faults at random moments, round after round: what was lost, what is there twice.

``python -m tests.bench.faults [--rounds N] [--seed S] [--kind WORDS] [--json]``. Each round tells
its seed; ``--seed`` with ``--rounds 1`` plays it again.
"""

import argparse
import json
import secrets
import sys
from collections import Counter
from dataclasses import dataclass, field

from tests.faults import rounds
from tests.faults.faults import KINDS, Fault, missing
from tests.faults.rounds import Round
from tests.faults.site import Plan, site

_PLANS = (Plan("bucket", redis_keeps=False), Plan("folder", redis_keeps=True))


@dataclass
class Tally:
    """What came of all rounds."""

    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    products: int = 0
    lost_products: int = 0
    doubled_products: int = 0

    def add(self, played: Round, products: int) -> None:
        """Count a round; each of its faults may be to blame."""
        difference = played.difference
        self.rounds += 1
        self.products += products
        self.lost_products += len(difference.lost)
        self.doubled_products += len(difference.doubled)
        for kind in played.kinds:
            self.faults[kind] += 1
            self.lost[kind] += len(difference.lost)
            self.doubled[kind] += len(difference.doubled)
            self.other[kind] += len(difference.other)

    def table(self) -> str:
        """Draw a table by kind."""
        lines = ["| fault | struck | lost | doubled | else different |", "|---|---|---|---|---|"]
        lines += [
            f"| {kind} | {count} | {self.lost[kind]} | {self.doubled[kind]} | {self.other[kind]} |"
            for kind, count in sorted(self.faults.items())
        ]
        return "\n".join(lines)

    def facts(self) -> dict[str, object]:
        """Give what ``--json`` ends with."""
        return {
            "rounds": self.rounds,
            "products": self.products,
            "faults": self.faults.total(),
            "lost": self.lost_products,
            "doubled": self.doubled_products,
            "else_different": self.other.total(),
            "by_kind": {
                kind: {"struck": count, "lost": self.lost[kind], "doubled": self.doubled[kind]}
                for kind, count in sorted(self.faults.items())
            },
        }


def main() -> int:
    """Play; exit status 1 if anything was lost, doubled or different."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--quick", action="store_true", help="six rounds")
    parser.add_argument("--seed", type=int, help="of the first round; the next ones follow")
    parser.add_argument("--kind", help="only faults whose name has these words in it")
    parser.add_argument("--store", choices=[plan.store for plan in _PLANS])
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    first = secrets.randbelow(10**9) if told.seed is None else told.seed
    wanted = 6 if told.quick else told.rounds
    plans = [plan for plan in _PLANS if told.store in (None, plan.store)]
    tally = Tally()
    for index, plan in enumerate(plans):
        seeds = range(first, first + wanted)[index :: len(plans)]
        if seeds:
            _play(plan, seeds, [kind for kind in KINDS if (told.kind or "") in kind.kind], tally)
    print(tally.table(), file=sys.stderr)
    print(
        f"{tally.rounds} rounds of {tally.products} products, {tally.faults.total()} faults:"
        f" {tally.lost_products} lost, {tally.doubled_products} doubled",
        file=sys.stderr,
    )
    if told.json:
        print(json.dumps(tally.facts()))
    return 1 if tally.lost_products or tally.doubled_products or tally.other.total() else 0


def _play(plan: Plan, seeds: range, kinds: list[type[Fault]], tally: Tally) -> None:
    with site(plan) as made:
        calm = rounds.undisturbed(made)
        print(f"{plan}: undisturbed in {calm.seconds:.1f} s", file=sys.stderr)
        had = []
        for kind in kinds:
            why = missing(kind, made)
            if why is None:
                had.append(kind)
            else:
                print(f"left out: {kind.kind}: {why}", file=sys.stderr)
        for seed in seeds:
            played = rounds.play(made, calm, seed, rounds.some(had, seed))
            tally.add(played, len(made.sources))
            verdict = f"DIFFERENT: {played.difference}" if played.difference else "the same"
            print(
                f"--store {plan.store} --seed {seed}: {', '.join(played.kinds)}:"
                f" {verdict} after {played.seconds:.1f} s",
                file=sys.stderr,
                flush=True,
            )
            if played.difference:
                print(made.told(), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
