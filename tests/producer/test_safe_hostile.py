import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.errors import ArchiveError, MetadataError, SafeError
from producer.safe import open_product
from tests import products

SECRET = "the secret outside"


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A good product as the bytes of its zip."""
    folder = tmp_path_factory.mktemp("zipped")
    return products.flat_product(folder, products.NEW_L1C, archive=True).read_bytes()


@pytest.fixture
def archive(zipped: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "product.zip"
    path.write_bytes(zipped)
    return path


@pytest.fixture
def safe(zipped: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "product.zip"
    path.write_bytes(zipped)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    return tmp_path / f"{products.NEW_L1C}.SAFE"


@pytest.mark.parametrize("file", ["manifest.safe", "MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml"])
@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file://{outside}">]>',
        '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file://{outside}"> %p;]>',
    ],
)
def test_xml_that_declares_entities_is_refused_unread(
    safe: Path, tmp_path: Path, file: str, prologue: str
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text(SECRET)
    head = "<?xml version='1.0' encoding='UTF-8'?>"
    products.edit(safe, file, head, head + prologue.format(outside=outside))
    with pytest.raises(MetadataError, match="declares a document type") as caught:
        open_product(safe)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "junk", [b"", b"<", b"\x00\xff\xfe", b"<?xml version='1.0' encoding='x'?>"]
)
def test_xml_that_is_none_is_refused(safe: Path, junk: bytes) -> None:
    (safe / "MTD_MSIL1C.xml").write_bytes(junk)
    with pytest.raises(MetadataError, match="is no XML"):
        open_product(safe)


def test_metadata_of_a_size_that_no_product_has_are_not_read(safe: Path) -> None:
    with (safe / "MTD_MSIL1C.xml").open("r+b") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(MetadataError, match="larger than"):
        open_product(safe)


def test_a_zip_bomb_among_the_metadata_is_not_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("A.SAFE/manifest.safe", b"\0" * (65 * 2**20))
    assert bomb.stat().st_size < 2**20
    with pytest.raises(MetadataError, match="larger than"):
        open_product(bomb)


@pytest.mark.parametrize(
    "href",
    [
        "../outside/MTD_TL.xml",
        "GRANULE/../../outside.xml",
        "/etc/passwd",
        "..\\..\\outside.xml",
        "./GRANULE/x/..",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_manifest_that_names_files_outside_is_refused(
    safe: Path, tmp_path: Path, kind: str, href: str
) -> None:
    products.edit(safe, "manifest.safe", 'href="./MTD_MSIL1C.xml"', f'href="{href}"')
    source = safe if kind == "folder" else _zipped(safe, tmp_path / "changed.zip")
    with pytest.raises(ArchiveError, match="outside its own folder"):
        open_product(source)


@pytest.mark.parametrize(
    "name", ["../evil.xml", "/etc/evil", "A.SAFE/../../evil", "A.SAFE\\..\\evil", "A.SAFE/x\0y"]
)
def test_a_zip_with_a_member_outside_is_refused(archive: Path, name: str) -> None:
    member = zipfile.ZipInfo("placeholder")
    member.filename = name
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(member, "evil")
    with pytest.raises(ArchiveError, match="outside its own folder"):
        open_product(archive)


def test_a_zip_with_a_symbolic_link_is_refused(archive: Path) -> None:
    link = zipfile.ZipInfo(f"{products.NEW_L1C}.SAFE/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveError, match="symbolic link"):
        open_product(archive)


@pytest.mark.parametrize("kept", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_zip_cut_short_is_refused(archive: Path, zipped: bytes, kept: float) -> None:
    archive.write_bytes(zipped[: int(len(zipped) * kept)])
    with pytest.raises(ArchiveError, match="cut short"):
        open_product(archive)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data, at: data[:at] + b"\0" * 64 + data[at + 64 :],
        lambda data, at: data[:at] + data[at + 8 :],
    ],
)
def test_a_zip_with_damaged_metadata_is_refused(
    archive: Path, zipped: bytes, damage: Callable[[bytes, int], bytes]
) -> None:
    archive.write_bytes(damage(zipped, zipped.index(b"dataObjectSection") + 20))
    with pytest.raises(ArchiveError, match="broken"):
        open_product(archive)


def test_a_zip_behind_a_password_is_refused(archive: Path, zipped: bytes) -> None:
    # The bit that says so, in the central directory's entry of the manifest.
    name = f"{products.NEW_L1C}.SAFE/manifest.safe".encode()
    flags = zipped.rindex(name) - 46 + 8
    archive.write_bytes(zipped[:flags] + b"\x01" + zipped[flags + 1 :])
    with pytest.raises(SafeError, match="cannot be unpacked"):
        open_product(archive)


def test_a_zip_with_two_products_is_refused(archive: Path) -> None:
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("B.SAFE/manifest.safe", "<x/>")
    with pytest.raises(SafeError, match="found 2"):
        open_product(archive)


def _zipped(safe: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as file:
        for path in safe.rglob("*"):
            file.write(path, path.relative_to(safe.parent))
    return target
