import base64
import hashlib
import re
from pathlib import Path

import brotli
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient

from deploy.page import Kept, WebFiles

PAGE = """<meta content="script-src 'self' 'sha256-old='">
<link rel="stylesheet" href="style.css" />
<script type="importmap">
  { "imports": { "map": "./vendor/map.mjs" } }
</script>
<a href="stac">catalogue</a><script type="module" src="src/main.js"></script>
"""
BROTLI = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a small page."""
    files = {"index.html": PAGE, "style.css": "a{}" * 400, "src/main.js": "go();" * 400}
    for name, text in {**files, "vendor/map.mjs": "map();" * 400}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def served(folder: Path) -> TestClient:
    return TestClient(Starlette(routes=[Mount("/", WebFiles(folder))]))


def addresses(client: TestClient) -> list[str]:
    return re.findall(r'"(?:\./)?(at/[^"]+)"', client.get("/").text)


def test_what_the_page_names_may_be_kept_for_ever(folder: Path) -> None:
    client = served(folder)
    named = addresses(client)
    names = ["style.css", "vendor/map.mjs", "src/main.js"]
    assert [one.partition("/")[2].partition("/")[2] for one in named] == names
    for address, name in zip(named, names, strict=True):
        answer = client.get(f"/{address}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.text == (folder / name).read_text()
    assert client.get("/").headers["cache-control"] == "no-cache"
    assert '<a href="stac">' in client.get("/").text


def test_another_file_is_another_edition(folder: Path) -> None:
    before = addresses(served(folder))
    assert addresses(served(folder)) == before
    (folder / "src/main.js").write_text("stop();" * 400)
    client = served(folder)
    after = addresses(client)
    assert not set(before) & set(after)
    # Who still has the page of before gets what there is, but must not keep it.
    late = client.get(f"/{before[-1]}")
    assert late.text.startswith("stop();")
    assert late.headers["cache-control"] == "no-cache"


def test_the_security_policy_names_the_import_map_as_it_is_sent(folder: Path) -> None:
    page = served(folder).get("/").text
    found = re.search(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    assert found
    wanted = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{wanted}'" in page


@pytest.mark.parametrize("name", ["index.html", "style.css", "src/main.js", "vendor/map.mjs"])
def test_files_are_sent_by_brotli_or_gzip_or_as_they_are(folder: Path, name: str) -> None:
    client = served(folder)
    plain = client.get(f"/{name}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for accepted, encoding in ((BROTLI, "br"), ({"Accept-Encoding": "gzip, br;q=0"}, "gzip")):
        answer = client.get(f"/{name}", headers=accepted)
        assert answer.headers["content-encoding"] == encoding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.content == plain.content
        assert int(answer.headers["content-length"]) < len(plain.content)
        again = client.get(
            f"/{name}", headers={**accepted, "If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304
        assert plain.headers["etag"] != answer.headers["etag"]


def test_a_file_is_compressed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served(folder)
    client.get("/src/main.js", headers=BROTLI)
    monkeypatch.setattr(brotli, "compress", None)
    assert client.get("/src/main.js", headers=BROTLI).text == "go();" * 400


def test_only_the_pages_own_files_are_served(folder: Path) -> None:
    (folder / "package.json").write_text("{}")
    (folder / ".npmrc").write_text("secret")
    client = served(folder)
    edition = addresses(client)[0].split("/")[1]
    for path in ("package.json", ".npmrc", "../conftest.py"):
        for base in ("", f"at/{edition}/"):
            assert client.get(f"/{base}{path}").status_code == 404, path


def test_what_never_changes_is_kept_until_another_edition(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.page._LOOK_S", 0)
    files = WebFiles(folder)
    app = Starlette(routes=[Mount("/", files)], middleware=[Middleware(Kept, files=files)])
    client = TestClient(app, root_path="/masks")
    address = f"/{addresses(client)[-1]}"
    first = client.get(address, headers=BROTLI)
    (folder / "src/main.js").rename(folder / "src/other.js")
    again = client.get(address, headers=BROTLI)
    assert (again.text, again.headers) == (first.text, first.headers)
    assert client.get(address, headers={"Accept-Encoding": "gzip"}).status_code == 404
    # By now the files were looked at.
    assert client.get(address, headers=BROTLI).status_code == 404
