"""The view for operators, on a real ledger."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ingest import ledger
from ingest.ledger import Lane, Role, Wish, WorkerState
from tests import records
from tests.web.screen import Visit, Visits

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
DAYS = 6


@pytest.fixture
def reached(catalogue_home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test reach the database of the site, its ledger empty."""
    for variable, value in catalogue_home.items():
        monkeypatch.setenv(variable, value)
    ledger.migrate()
    with ledger.opened() as book:
        tables = "products, backfills, tokens, workers, brakes, audit"
        book._run(f"TRUNCATE {', '.join(f'ledger.{name}' for name in tables.split(', '))} CASCADE")


@pytest.fixture
def backfill(reached: None) -> ledger.Backfill:
    """Six products of one tile, of which one has failed."""
    with ledger.opened() as book:
        spec = {"source": {"kind": "folder", "address": "/eodata"}, "filters": {}}
        made = book.backfill_create("spring", "ukis-csmask", spec, priority=5, created_by="maria")
        days = [records.SENSED + timedelta(days=number) for number in range(DAYS)]
        names = [str(records.product_name("33UUU", day)) for day in days]
        wishes = [Wish(name, f"/eodata/{name}.SAFE") for name in names]
        book.want(wishes, "ukis-csmask", priority=5, version="1.0.0", backfill=made.id)
        book.backfill_listed(made.id)
        (task,) = book.claim(Lane.MASK, 1)
        assert book.start(task.id, task.turn, "host:1:mask")
        book.fail(task.id, task.turn, "BandError", "band B02 is cut short", retry_in_s=None)
        return book.backfill_get(made.id)


def token(role: Role = Role.OPERATE, expires: datetime | None = None) -> str:
    with ledger.opened() as book:
        return book.token_create(f"{role} {os.urandom(3).hex()}", role, expires)


def enter(page: Page, secret: str) -> None:
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Open").click()


def go(visit: Visit, show: str = "") -> Page:
    visit.page.goto(f"{visit.site}/?mode=operate{f'&show={show}' if show else ''}")
    return visit.page


def test_a_token_opens_the_view_and_is_nowhere_but_in_the_tab(
    visit: Visit, backfill: ledger.Backfill
) -> None:
    page = go(visit)
    secret = token()
    enter(page, secret)
    expect(page.locator("#backfills")).to_contain_text("0 of 6 products · 1 failed")
    assert secret not in page.url
    assert not any(secret in url for url in visit.requested)
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    expect(page.locator("#backfills")).to_contain_text("spring")
    page.get_by_role("button", name="Forget the token").click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_progress_is_told_as_it_is_made(visit: Visit, backfill: ledger.Backfill) -> None:
    page = go(visit, f"backfill/{backfill.id}")
    enter(page, token())
    expect(page.locator("#operate")).to_contain_text("5 waiting")
    with ledger.opened() as book:
        (task,) = book.claim(Lane.MASK, 1)
        book.start(task.id, task.turn, "host:1:mask")
    expect(page.locator("#operate")).to_contain_text("1 running")
    expect(page.locator("#operate")).to_contain_text("band B02 is cut short")


def test_a_backfill_is_paused_and_tried_again_by_keyboard(
    visit: Visit, backfill: ledger.Backfill
) -> None:
    page = go(visit, f"backfill/{backfill.id}")
    enter(page, token())
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page.locator("#operate .head")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.locator("#operate .head")).to_contain_text("running")
    page.get_by_role("button", name="Try failures again").press("Enter")
    expect(page.locator("#operate")).to_contain_text("6 waiting")
    abort = page.get_by_role("button", name="Abort")
    abort.click()
    expect(page.get_by_role("button", name="Really abort?")).to_be_visible()
    page.get_by_role("button", name="Really abort?").click()
    expect(page.locator("#operate .head")).to_contain_text("aborted")
    with ledger.opened() as book:
        done = [entry.action for entry in reversed(book.audit_list())]
    assert done == ["pause", "resume", "retry", "abort"]


def test_an_expired_token_is_told_and_another_one_asked_for(
    visit: Visit, backfill: ledger.Backfill
) -> None:
    page = go(visit)
    enter(page, token(expires=datetime.now(UTC) - timedelta(seconds=1)))
    expect(page.get_by_role("alert").filter(has_text="has expired")).to_be_visible()
    enter(page, token())
    expect(page.locator("#backfills")).to_contain_text("spring")
    # And one that ends while somebody looks.
    with ledger.opened() as book:
        for one in book.token_list():
            book.token_revoke(one.name)
    expect(page.get_by_role("alert").filter(has_text="has expired")).to_be_visible()
    assert all("401" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


def test_a_form_tells_the_cost_first_and_then_begins(
    visit: Visit, reached: None, tmp_path: Path
) -> None:
    for number in range(3):
        name = records.product_name("33UUU", records.SENSED + timedelta(days=number))
        (tmp_path / f"{name}.SAFE").mkdir()
    page = go(visit, "new")
    enter(page, token())
    form = page.locator("form.new")
    form.get_by_label("Address").fill(str(tmp_path))
    form.get_by_label("Last day").fill(f"{records.SENSED + timedelta(days=1):%Y-%m-%d}")
    form.get_by_label("Engine").select_option("ukis-csmask")
    page.get_by_role("button", name="Try it first").click()
    estimate = page.locator(".estimate")
    expect(estimate.locator(".figure").nth(2)).to_have_text("2to do")
    expect(estimate).to_contain_text("1 outside the dates")
    page.get_by_role("button", name="Begin backfill").click()
    page.wait_for_url(re.compile(r"show=backfill/"))
    expect(page.locator("#operate .head")).to_contain_text("listing")
    page.get_by_role("link", name="New backfill").click()
    form.get_by_label("Address").fill("relative/folder")
    page.get_by_role("button", name="Try it first").click()
    expect(page.get_by_role("alert").filter(has_text="not absolute")).to_be_visible()
    assert all("422" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


def test_an_engine_that_was_stopped_is_released(visit: Visit, reached: None) -> None:
    with ledger.opened() as book:
        for _ in range(10):
            book.outcome(Lane.MASK, "ukis-csmask", ok=False, reason="the model is damaged")
        book.beat(WorkerState("host:1:mask", Lane.MASK, "host", 1))
    page = go(visit)
    enter(page, token())
    expect(page.locator(".brake")).to_contain_text("the model is damaged")
    expect(page.locator("#operate")).to_contain_text("host")
    page.get_by_role("button", name="Release").click()
    expect(page.locator(".brake")).to_have_count(0)


def test_who_may_only_read_is_offered_nothing_else(visit: Visit, backfill: ledger.Backfill) -> None:
    page = go(visit, f"backfill/{backfill.id}")
    enter(page, token(Role.READ))
    expect(page.locator("#operate")).to_contain_text("band B02 is cut short")
    assert page.get_by_role("button", name="Pause").count() == 0
    page.get_by_role("link", name="New backfill").click()
    expect(page.get_by_role("button", name="Begin backfill")).to_be_disabled()


def test_coverage_of_a_tile_is_a_calendar(visit: Visit, backfill: ledger.Backfill) -> None:
    page = go(visit, "coverage")
    enter(page, token())
    page.get_by_label("Tile", exact=True).fill("t33uuu")
    page.get_by_label("Year").select_option("2017")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("show=coverage/33UUU/2017"))
    expect(page.locator("button.day")).to_have_count(DAYS)
    page.get_by_role("button", name=re.compile("failed")).click()
    expect(page.locator(".covered")).to_contain_text("band B02 is cut short")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
def test_axe_finds_no_fault(
    visits: Visits, backfill: ledger.Backfill, scheme: Any, width: int
) -> None:
    visit = visits.open(
        viewport={"width": width, "height": 780}, color_scheme=scheme, bypass_csp=True
    )
    page = go(visit, f"backfill/{backfill.id}")
    secret = token()
    enter(page, secret)
    expect(page.locator("#operate")).to_contain_text("band B02 is cut short")
    page.add_script_tag(path=AXE)
    for title in ("", "Lanes and workers", "New backfill", "Coverage", "Trail"):
        if title:
            page.get_by_role("link", name=title).click()
            expect(page.locator("#operate").get_by_role("heading", name=title)).to_be_visible()
        found = page.evaluate("axe.run()")["violations"]
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
