import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ingest import ledger
from ingest.admin.app import create_app
from ingest.backfills import listing
from ingest.ledger import Lane, Role

from .conftest import PRODUCTS

DAY = "2017-02-11"


def asked(folder: Path) -> dict[str, Any]:
    return {
        "name": "february",
        "engine": "ukis-csmask",
        "source": {"kind": "folder", "address": str(folder)},
        "filters": {"start": DAY, "tiles": ["T33UUU"]},
    }


def listed(key: str) -> None:
    """List a backfill to its end, as the dispatcher would."""
    with ledger.opened() as book:
        while listing.step(book, book.backfill_get(key)):
            pass


def give_up(reason: str) -> str:
    """Let a worker fail on the next product for good; gives its name."""
    with ledger.opened() as book:
        (task,) = book.claim(Lane.MASK, 1)
        assert book.start(task.id, task.turn, "host:1:mask")
        assert book.fail(task.id, task.turn, "BandError", reason, retry_in_s=None)
        return task.product


def test_a_dry_run_tells_what_creating_then_finds(operating: TestClient, folder: Path) -> None:
    answer = operating.post("/backfills", params={"dry_run": True}, json=asked(folder))
    assert answer.status_code == 200
    estimate = answer.json()
    assert (estimate["found"], estimate["to_do"], estimate["already_masked"]) == (2, 2, 0)
    assert estimate["skipped"] == {"outside the dates": 1}
    assert estimate["expected_s"] is None
    assert operating.get("/backfills").json() == []
    made = operating.post("/backfills", json=asked(folder))
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["created_by"]) == ("listing", "a operate token")
    listed(made.json()["id"])
    found = operating.get(f"/backfills/{made.json()['id']}").json()
    assert (found["found"], found["total"]) == (estimate["found"], estimate["to_do"])
    assert found["skipped"] == estimate["skipped"]
    assert found["counts"]["due"] == 2
    assert found["spec"]["filters"]["tiles"] == ["33UUU"]


def test_a_backfill_is_paused_resumed_aborted_and_tried_again(
    operating: TestClient, folder: Path
) -> None:
    key = operating.post("/backfills", json=asked(folder)).json()["id"]
    listed(key)
    states = []
    for step in ("pause", "resume", "abort", "retry"):
        told = operating.post(f"/backfills/{key}/{step}").json()
        states.append((step, told["state"], {k: v for k, v in told["counts"].items() if v}))
    assert states == [
        ("pause", "paused", {"held": 2}),
        ("resume", "running", {"due": 2}),
        ("abort", "aborted", {"aborted": 2}),
        ("retry", "running", {"due": 2}),
    ]
    assert operating.post(f"/backfills/{key}/abort").status_code == 200
    answer = operating.post(f"/backfills/{key}/pause")
    assert answer.status_code == 409
    assert "aborted" in answer.json()["detail"]
    assert operating.post("/backfills/none/pause").status_code == 404


def test_failures_have_their_reasons_and_pages(operating: TestClient, folder: Path) -> None:
    key = operating.post("/backfills", json=asked(folder)).json()["id"]
    listed(key)
    products = [give_up("band B02 is cut short"), give_up("band B03 is cut short")]
    first = operating.get(f"/backfills/{key}/failures", params={"limit": 1}).json()
    assert [one["error"] for one in first] == ["band B02 is cut short"]
    assert (first[0]["kind"], first[0]["lane"]) == ("BandError", "mask")
    rest = operating.get("/failures", params={"after": first[0]["id"]}).json()
    assert [one["product"] for one in rest] == products[1:]
    assert operating.get("/backfills/none/failures").status_code == 404
    told = operating.post(f"/backfills/{key}/retry").json()
    assert (told["counts"]["failed"], told["counts"]["due"]) == (0, 2)


def test_the_trail_says_who_did_what(operating: TestClient, folder: Path) -> None:
    operating.post("/backfills", params={"dry_run": True}, json=asked(folder))
    key = operating.post("/backfills", json=asked(folder)).json()["id"]
    for path, body in (
        (f"/backfills/{key}/pause", None),
        (f"/backfills/{key}/resume", None),
        (f"/backfills/{key}/abort", None),
        (f"/backfills/{key}/retry", None),
        ("/lanes/mask/release", {"engine": "kappamask"}),
        ("/redo", {"engine": "kappamask", "version": "9"}),
    ):
        assert operating.post(path, json=body).status_code == 200
    operating.post("/backfills/none/abort")
    trail = operating.get("/audit").json()
    assert [(one["action"], one["subject"]) for one in reversed(trail)] == [
        ("dry run", "february"),
        ("create", key),
        ("pause", key),
        ("resume", key),
        ("abort", key),
        ("retry", key),
        ("release", "mask"),
        ("redo", "kappamask"),
    ]
    assert {one["who"] for one in trail} == {"a operate token"}
    older = operating.get("/audit", params={"before": trail[-2]["id"], "limit": 5}).json()
    assert [one["action"] for one in older] == ["dry run"]


def test_an_engine_that_was_stopped_is_set_free(operating: TestClient) -> None:
    with ledger.opened() as book:
        for _ in range(10):
            book.outcome(Lane.MASK, "ukis-csmask", ok=False, reason="no model")
    lanes = {one["lane"]: one for one in operating.get("/lanes").json()}
    (brake,) = lanes["mask"]["brakes"]
    assert (brake["engine"], brake["reason"]) == ("ukis-csmask", "no model")
    assert brake["stopped"] is not None
    body = {"engine": "ukis-csmask"}
    released = operating.post("/lanes/mask/release", json=body).json()
    assert all(one["brakes"] == [] for one in released)
    answer = operating.post("/lanes/mask/release", json={"engine": "none"})
    assert answer.status_code == 422
    assert "ukis-csmask" in answer.json()["detail"]
    assert operating.post("/lanes/none/release", json=body).status_code == 422


def test_coverage_tells_each_day_of_a_tile(operating: TestClient, folder: Path) -> None:
    key = operating.post("/backfills", json={**asked(folder), "filters": {}}).json()["id"]
    listed(key)
    failed = give_up("cut short")
    span = {"tile": "T33UUU", "start": "2017-02-01", "end": "2017-02-12"}
    told = operating.get("/coverage", params=span).json()
    assert told["tile"] == "33UUU"
    states = {
        product["product"]: (day["date"], product["state"], product["detail"])
        for day in told["days"]
        for product in day["products"]
    }
    waiting = {
        product: (f"2017-02-1{number}", "waiting", None)
        for number, product in enumerate(PRODUCTS)
        if product != failed
    }
    assert states == {**waiting, failed: (states[failed][0], "failed", "cut short")}
    operating.post(f"/backfills/{key}/abort")
    told = operating.get("/coverage", params={**span, "end": "2017-02-10"}).json()
    assert [day["date"] for day in told["days"]] == ["2017-02-10"]
    for wrong in ({"tile": "33IOU"}, {"start": "2018-01-01"}, {"end": "2217-01-01"}):
        assert operating.get("/coverage", params={**span, **wrong}).status_code == 422


def test_what_makes_no_sense_is_refused_in_words(operating: TestClient, folder: Path) -> None:
    for change, word in (
        ({"engine": "magic"}, "magic"),
        ({"source": {"kind": "folder", "address": "relative"}}, "absolute"),
        ({"kind": "watch"}, "nimbostac watch"),
        ({"filters": {"tiles": ["99ZZZ"]}}, "99ZZZ"),
        ({"colour": "blue"}, "colour"),
    ):
        answer = operating.post("/backfills", json={**asked(folder), **change})
        assert answer.status_code == 422
        assert word in answer.text
    assert operating.get("/backfills").json() == []


def test_the_description_lists_everything_and_what_may_go_wrong() -> None:
    description = create_app().openapi()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"token": []}], (path, method)
            assert operation["description"], (path, method)
            assert {"401", "403", "429", "503"} <= operation["responses"].keys(), (path, method)
    assert "text/event-stream" in str(description["paths"]["/events"])


def test_workers_and_engines_are_listed(reading: TestClient) -> None:
    with ledger.opened() as book:
        book.beat(ledger.WorkerState("host:1:mask", Lane.MASK, "host", 1, step="infer", done=3))
        book.token_create("soon over", Role.READ, datetime.now(UTC) + timedelta(days=1))
    (worker,) = reading.get("/workers").json()
    assert (worker["name"], worker["step"], worker["alive"]) == ("host:1:mask", "infer", True)
    assert [one["name"] for one in reading.get("/engines").json()] == ["ukis-csmask", "kappamask"]


def test_an_engine_is_chosen_by_what_is_there_and_nothing_is_fetched_meanwhile(
    operating: TestClient, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as weights:
        weights.settimeout(0)
        monkeypatch.setenv("NIMBOSTAC_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setenv(
            "NIMBOSTAC_WEIGHTS_URL", f"http://127.0.0.1:{weights.getsockname()[1]}/weights"
        )
        for dry_run in (True, False):
            body = {**asked(folder), "engine": "auto"}
            told = operating.post("/backfills", params={"dry_run": dry_run}, json=body)
            assert told.is_success
            assert told.json()["engine"] == "ukis-csmask"
            assert "weights fetch" in told.text
        with pytest.raises(BlockingIOError):
            weights.accept()
