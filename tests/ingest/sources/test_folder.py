import os
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Filters, Reason, sift
from ingest.sources import tree
from ingest.sources.folder import FolderSource
from ingest.sources.several import SeveralSources
from tests.ingest.sources.listings import (
    everything,
    lay_out,
    name,
    one_page_a_process,
    place,
)

NAMES = [name(day, tile) for day in range(4) for tile in ("33UUU", "33UVU", "34UCD")]
FOLDER_NAMES = st.sampled_from(["2020", "a", "b c", "L1C", "5", "zz.SAFE", "ä"])


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which folders are read."""
    seen: list[str] = []
    plain = os.scandir

    def noted(path: str | Path) -> "os._ScandirContextManager[str]":  # type: ignore[name-defined]
        seen.append(str(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", noted)
    return seen


def test_only_folders_of_wanted_days_are_read_and_never_a_product(
    tmp_path: Path, looked_into: list[str]
) -> None:
    products = [name(day) for day in (0, 40, 80, 120, 500)] + [name(80, level="L2A")]
    lay_out(tmp_path, *products)
    day = date(2020, 7, 20)
    wanted = Filters(start=day, end=day, level="L1C")
    found, skipped = everything(FolderSource(tmp_path), wanted)
    assert [one.product for one in found] == [products[2]]
    assert found[0].source == str(tmp_path / "Sentinel-2/MSI" / place(products[2]))
    assert not skipped
    read = {str(Path(path).relative_to(tmp_path)) for path in looked_into}
    msi = "Sentinel-2/MSI"
    months = {f"{msi}/L1C", f"{msi}/L1C/2020", f"{msi}/L1C/2020/07", f"{msi}/L1C/2020/07/20"}
    assert read == {".", "Sentinel-2", msi} | months


def test_days_in_the_address_itself_count(tmp_path: Path) -> None:
    lay_out(tmp_path, *NAMES)
    month = FolderSource(tmp_path / "Sentinel-2/MSI/L1C/2020/05")
    found, _ = everything(month, Filters(start=date(2020, 5, 3)))
    assert {one.product for one in sift(found, Filters(start=date(2020, 5, 3))).wanted} == set(
        NAMES[6:]
    )
    day = FolderSource(tmp_path / "Sentinel-2/MSI/L1C/2020/05/02")
    assert [one.product for one in everything(day)[0]] == sorted(NAMES[3:6])


def test_a_folder_of_the_day_after_is_looked_into_for_granules_sensed_after_midnight(
    tmp_path: Path,
) -> None:
    (tmp_path / "L1C/2020/05/02" / f"{NAMES[0]}.SAFE").mkdir(parents=True)
    asked = Filters(start=date(2020, 5, 1), end=date(2020, 5, 1))
    assert [one.product for one in everything(FolderSource(tmp_path), asked)[0]] == [NAMES[0]]


def test_zips_folders_links_and_unpacked_products_are_all_found(tmp_path: Path) -> None:
    (tmp_path / "in" / f"{NAMES[0]}.SAFE").mkdir(parents=True)
    (tmp_path / f"{NAMES[1]}.zip").write_bytes(b"12345")
    (tmp_path / f"{NAMES[2]}.SAFE.zip").write_bytes(b"123")
    unpacked = tmp_path / NAMES[3]
    unpacked.mkdir()
    (unpacked / "manifest.safe").touch()
    wrapped = tmp_path / NAMES[4] / f"{NAMES[4]}.SAFE"
    wrapped.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / f"{NAMES[5]}.SAFE").symlink_to(wrapped)
    (tmp_path / ".snapshot" / f"{NAMES[6]}.SAFE").mkdir(parents=True)
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    found, skipped = everything(FolderSource(tmp_path))
    assert {one.product: one.bytes for one in found} == {
        NAMES[0]: None,
        NAMES[1]: 5,
        NAMES[2]: 3,
        NAMES[3]: None,
        NAMES[4]: None,
        NAMES[5]: None,
    }
    assert {one.source for one in found if one.product == NAMES[3]} == {str(unpacked)}
    assert not skipped


@pytest.mark.parametrize("suffix", [".SAFE", ".zip"])
def test_a_product_is_a_source_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"{NAMES[0]}{suffix}"
    path.mkdir() if suffix == ".SAFE" else path.touch()
    found, _ = everything(FolderSource(path))
    assert [(one.product, one.source) for one in found] == [(NAMES[0], str(path))]


def test_what_is_no_product_is_counted_and_harms_nothing(tmp_path: Path) -> None:
    for bad in ("S2A_OPER_PRD_MSIL1C_PDMC_20150805T232203.SAFE", "holiday.zip"):
        (tmp_path / bad).mkdir()
    (tmp_path / "pictures.zip").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / f"{NAMES[0]}.SAFE").mkdir()
    found, skipped = everything(FolderSource(tmp_path))
    assert [one.product for one in found] == [NAMES[0]]
    assert skipped == {Reason.NO_PRODUCT: 2}


def test_a_folder_that_cannot_be_read_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "open" / f"{NAMES[0]}.SAFE").mkdir(parents=True)
    _refuse(monkeypatch, tmp_path / "closed", PermissionError(13, "Permission denied"))
    found, skipped = everything(FolderSource(tmp_path))
    assert [one.product for one in found] == [NAMES[0]]
    assert skipped == {Reason.UNREADABLE: 1}


def test_a_disk_that_fails_is_no_folder_to_leave_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far").mkdir()
    _refuse(monkeypatch, tmp_path / "far", OSError(5, "Input/output error"))
    with pytest.raises(SourceUnreachableError, match="Input/output error") as caught:
        everything(FolderSource(tmp_path))
    assert caught.value.passing


def _refuse(monkeypatch: pytest.MonkeyPatch, folder: Path, error: OSError) -> None:
    plain = os.scandir

    def scandir(path: str | Path) -> "os._ScandirContextManager[str]":  # type: ignore[name-defined]
        if Path(path) == folder:
            raise error
        return plain(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_tree_that_is_unmounted_half_way_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "PAGE", 2)
    root = lay_out(tmp_path / "mount", *NAMES)
    pages = FolderSource(root).pages(Filters())
    cursor = next(pages).cursor
    shutil.move(root / "Sentinel-2", tmp_path / "away")
    with pytest.raises(SourceUnreachableError):
        list(pages)
    with pytest.raises(SourceUnreachableError, match="still mounted"):
        next(FolderSource(root).pages(Filters(), cursor))
    root.rmdir()
    with pytest.raises(SourceUnreachableError):
        next(FolderSource(root).pages(Filters(), cursor))
    with pytest.raises(SourceRefusedError, match=str(root)):
        next(FolderSource(root).pages(Filters()))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.lists(FOLDER_NAMES, max_size=4), st.sampled_from(NAMES)), max_size=25),
    st.integers(1, 5),
)
def test_a_listing_that_dies_after_every_page_finds_what_one_glance_finds(
    entries: list[tuple[list[str], str]], page: int
) -> None:
    with TemporaryDirectory() as folder, patch.object(tree, "PAGE", page):
        root = Path(folder)
        for parents, product in entries:
            (root.joinpath(*parents) / f"{product}.SAFE").mkdir(parents=True, exist_ok=True)
        # Nothing is looked for below a SAFE folder, whatever its name.
        expected = Counter(
            str(path)
            for path in root.rglob("S2*.SAFE")
            if not any(part.endswith(".SAFE") for part in path.relative_to(root).parts[:-1])
        )
        pages = list(one_page_a_process(FolderSource(root)))
        found = Counter(one.source for each in pages for one in each.candidates)
        assert found == expected
        assert all(len(each.candidates) <= page for each in pages)
        whole, skipped = everything(FolderSource(root))
        assert Counter(one.source for one in whole) == expected
        assert sum(skipped.values()) == sum(sum(each.skipped.values()) for each in pages)


def test_several_folders_are_one_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "PAGE", 2)
    roots = [lay_out(tmp_path / str(n), *NAMES[n::3]) for n in range(3)]
    roots.append(tmp_path / "0/Sentinel-2/MSI" / place(NAMES[0]))
    (tmp_path / "none").mkdir()
    source = SeveralSources([FolderSource(root) for root in (*roots, tmp_path / "none")])
    pages = list(one_page_a_process(source))
    assert sorted(one.product for page in pages for one in page.candidates) == sorted(
        [*NAMES, NAMES[0]]
    )
    assert len(pages) > 6
