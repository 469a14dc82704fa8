"""How long a product takes, how much memory, and how much of the truth is found.

Run ``python -m tests.bench.producer [--quick] [--json] [--engine NAME] [--precision P]
[--work FOLDER]``. A procedural product of 10980 x 10980 px (``--quick``: 2400 x 2400) is made once
and kept in the work folder; it is masked in a process of its own, whose peak memory is the figure
given. The clouds are procedural: recall and precision tell how an engine fares on these, not on
Earth.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from producer import layout
from producer.classes import MaskClass
from producer.masking import MaskOptions, mask_product
from producer.options import EngineOptions, Precision
from producer.product import ProductName
from producer.synthetic import Scene, build
from tests.bench import kappamask_backends

NAME = "S2A_MSIL1C_20170616T102021_N0205_R065_T33UUU_20170616T102204"
FULL_PX = 10980
QUICK_PX = 2400
# What ru_maxrss counts in on Linux.
_KIB = 1024
_GIB = 1024**3
# Patches by pixels of the 10 m grid: edge, step and margin of the engine's own grid.
_PATCHES = {"ukis-csmask": lambda size_px: len(range(-51, -(-size_px // 3), 204)) ** 2}


@dataclass(frozen=True, slots=True)
class Subject:
    """A product and the truth about it."""

    path: Path
    truth: NDArray[np.uint8]


def subject(work: Path, size_px: int) -> Subject:
    """Make the product, unless it is there."""
    folder = work / f"product-{size_px}"
    path, truth = folder / f"{NAME}.SAFE", folder / "truth.npy"
    if not truth.exists():
        with Progress(console=Console(stderr=True)) as bars:
            task = bars.add_task("making the product", total=None)
            built = build(
                folder,
                Scene(NAME, size_px, size_px),
                progress=lambda done, total: bars.update(task, completed=done, total=total),
            )
        np.save(truth, built.truth)
    return Subject(path, np.load(truth))


def measure(path: Path, engine: str, precision: Precision) -> dict[str, Any]:
    """Mask a product in a fresh process; timings, the whole process's too, and peak memory."""
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as store:
        command = [sys.executable, "-m", "tests.bench.producer", "--child", store]
        began = time.perf_counter()
        ran = subprocess.run(
            [*command, "--engine", engine, "--precision", precision, "--product", path],
            stdout=subprocess.PIPE,
            check=True,
        )
        process_s = round(time.perf_counter() - began, 1)
        found: dict[str, Any] = {"process_seconds": process_s, **json.loads(ran.stdout)}
        with rasterio.open(Path(store) / found.pop("mask")) as dataset:
            found["classes"] = dataset.read(1)
        return found


def child(path: Path, engine: str, precision: Precision, store: str) -> None:
    """Mask a product and print what it took; runs in the process that is measured."""
    options = MaskOptions(overwrite=True, engine=EngineOptions(precision=precision))
    record = mask_product(path, store, engine, options=options)
    stem = layout.stem_key(
        ProductName.parse(record.product), record.engine.name, record.engine.version
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    facts = {
        "engine": f"{record.engine.name} {record.engine.version}",
        "seconds": record.timings_s["total"],
        "steps": record.timings_s,
        # Of all cores, the loading of the engine included.
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_rss_gib": round(used.ru_maxrss * _KIB / _GIB, 2),
        "bytes": {asset: file.size for asset, file in record.files.items()},
        "mask": layout.file_key(stem, layout.MASK),
    }
    print(json.dumps(facts))


def agreement(classes: NDArray[np.uint8], truth: NDArray[np.uint8]) -> dict[str, Any]:
    """Recall and precision of each class, and what thin cloud was taken for.

    Cloud is counted in two ways: thick only, and with thin cloud as cloud, which is what an
    engine without a class for thin cloud may have learnt.
    """
    thin = (MaskClass.SEMI_TRANSPARENT,)
    wanted = {
        "clear": (MaskClass.CLEAR,),
        "cloud_shadow": (MaskClass.CLOUD_SHADOW,),
        "cloud": (MaskClass.CLOUD,),
        "any_cloud": (MaskClass.CLOUD, *thin),
    }
    scores: dict[str, Any] = {}
    for name, values in wanted.items():
        found, true = np.isin(classes, values), np.isin(truth, values)
        both = np.count_nonzero(found & true)
        scores[name] = {
            "recall": round(float(both / max(np.count_nonzero(true), 1)), 4),
            "precision": round(float(both / max(np.count_nonzero(found), 1)), 4),
        }
    of_thin = np.bincount(classes[np.isin(truth, thin)], minlength=len(MaskClass))
    scores["thin_cloud_taken_for"] = {
        value.name.lower(): round(int(of_thin[value]) / max(int(of_thin.sum()), 1), 4)
        for value in MaskClass
        if of_thin[value]
    }
    scores["same"] = round(float(np.mean(classes == truth)), 4)
    return scores


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tests.bench.producer", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", default="kappamask")
    parser.add_argument("--precision", type=Precision, default=Precision.FLOAT32)
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "nimbostac-bench"
    )
    parser.add_argument("--product", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.child:
        child(told.product, told.engine, told.precision, told.child)
        return
    size_px = QUICK_PX if told.quick else FULL_PX
    made = subject(told.work, size_px)
    if told.engine == "kappamask":
        kappamask_backends.provide_weights(told.work, made.path)
    result = measure(made.path, told.engine, told.precision)
    result["size_px"] = size_px
    result["agreement"] = agreement(result.pop("classes"), made.truth)
    if told.engine == "kappamask":
        # Random weights know nothing of clouds: ways to compute are compared with each other.
        result.update(kappamask_backends.compare(made.path, turns=3 if told.quick else 9))
    patches = _PATCHES.get(told.engine)
    if patches:
        result["tiles"] = patches(size_px)
        result["ms_per_tile"] = round(1000 * result["steps"]["infer"] / result["tiles"], 1)
    if told.json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        if isinstance(value, dict):
            print(f"{key}:")
            for inner, part in value.items():
                print(f"  {inner:22} {part}")
        else:
            print(f"{key:24} {value}")


if __name__ == "__main__":
    main()
