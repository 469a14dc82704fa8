from datetime import date
from pathlib import Path

import pytest

from ingest.errors import SourceRefusedError
from ingest.filters import Filters, Reason
from ingest.sources import names as module
from ingest.sources.layout import Layout
from ingest.sources.names import NamesSource
from tests.ingest.sources.listings import everything, lay_out, name, one_page_a_process, place

NAMES = [name(day) for day in range(5)]


def test_names_are_located_and_what_is_not_there_is_counted(tmp_path: Path) -> None:
    lay_out(tmp_path, *NAMES[:2])
    anew = name(2, baseline="0500")
    again = tmp_path / "Sentinel-2/MSI" / place(anew).replace("L1C/", "L1C_N0500/")
    again.mkdir(parents=True)
    for root in (tmp_path, tmp_path / "Sentinel-2/MSI"):
        source = NamesSource([*NAMES[:2], f"{anew}.SAFE", NAMES[4]], layout=Layout(str(root)))
        found, skipped = everything(source)
        assert [one.source for one in found] == [
            *(str(tmp_path / "Sentinel-2/MSI" / place(each)) for each in NAMES[:2]),
            str(again),
        ]
        assert skipped == {Reason.ABSENT: 1}


def test_what_is_not_wanted_is_not_looked_for(tmp_path: Path) -> None:
    lay_out(tmp_path, NAMES[0])
    source = NamesSource(NAMES, layout=Layout(str(tmp_path)))
    found, skipped = everything(source, Filters(end=date(2020, 5, 2)))
    assert [one.product for one in found] == NAMES[:1]
    assert skipped == {Reason.DATES: 3, Reason.ABSENT: 1}


def test_paths_and_addresses_are_taken_as_they_are(tmp_path: Path) -> None:
    lines = [f"/data/{NAMES[0]}.SAFE/", f"s3://eodata/x/{NAMES[1]}.SAFE", f"./in/{NAMES[2]}.zip"]
    (tmp_path / "list.txt").write_text("\n".join(["# wanted", "", *lines, "nonsense", NAMES[3]]))
    found, skipped = everything(NamesSource(file=tmp_path / "list.txt"))
    assert [one.source for one in found] == [
        f"/data/{NAMES[0]}.SAFE",
        f"s3://eodata/x/{NAMES[1]}.SAFE",
        f"{tmp_path}/in/{NAMES[2]}.zip",
    ]
    assert skipped == {Reason.NO_PRODUCT: 1, Reason.NO_ADDRESS: 1}


def test_a_list_that_is_read_page_by_page_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    paths = [f"/data/{each}.SAFE" for each in NAMES]
    (tmp_path / "list.txt").write_text("\n".join(paths))
    for source in (NamesSource(paths), NamesSource(file=tmp_path / "list.txt")):
        pages = list(one_page_a_process(source))
        assert [one.source for page in pages for one in page.candidates] == paths
        assert max(len(page.candidates) for page in pages) == 2


def test_a_list_or_a_root_that_is_not_there_is_an_error_for_good(tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match=r"none\.txt"):
        everything(NamesSource(file=tmp_path / "none.txt"))
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceRefusedError, match="no text"):
        everything(NamesSource(file=tmp_path / "list.txt"))
    with pytest.raises(SourceRefusedError, match="Sentinel-2/MSI"):
        everything(NamesSource(NAMES, layout=Layout(str(tmp_path))))
