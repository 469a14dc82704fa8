"""Backfills: asked for, followed and steered."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from ingest import ledger
from ingest.admin.access import Book, Operator, Reader
from ingest.admin.models import Backfill, Estimate, Failure
from ingest.backfills import creating
from ingest.backfills.estimates import estimate
from ingest.backfills.spec import BackfillSpec
from ingest.backfills.views import view
from ingest.errors import BackfillSpecError
from ingest.ledger import Ledger

router = APIRouter(tags=["Backfills"])

Id = Annotated[str, Path(description="Id of a backfill.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
After = Annotated[int, Query(ge=0, description="Id of a failure, for the page after it.")]


def told(book: Ledger, backfill: ledger.Backfill) -> Backfill:
    """Tell a backfill with how far it is."""
    return Backfill.model_validate(view(book, backfill))


@router.get("/backfills", name="backfills")
def list_backfills(book: Book, _: Reader, limit: Limit = 100) -> list[Backfill]:
    """List backfills, the newest first."""
    return [told(book, one) for one in book.backfill_list()[:limit]]


@router.post(
    "/backfills", status_code=201, responses={200: {"model": Estimate}, 201: {"model": Backfill}}
)
def create(
    response: Response,
    book: Book,
    token: Operator,
    spec: BackfillSpec,
    *,
    dry_run: Annotated[
        bool, Query(description="Go through the source, change nothing, tell the cost.")
    ] = False,
) -> Backfill | Estimate:
    """Begin a backfill, whose products are listed in the background; or tell what it would cost."""
    if dry_run:
        book.audit(token.name, "dry run", spec.name, _noted(spec))
        response.status_code = 200
        return Estimate.model_validate(estimate(book, _followed(spec), may_fetch=False))
    with book.transaction():
        made = creating.create(book, _followed(spec), token.name, may_fetch=False)
        book.audit(token.name, "create", made.id, _noted(spec))
    return told(book, made)


@router.get("/backfills/{id}")
def backfill(book: Book, _: Reader, id: Id) -> Backfill:  # noqa: A002 - its name in the path
    """Tell what was asked for, and how far it is."""
    return told(book, book.backfill_get(id))


@router.post("/backfills/{id}/pause")
def pause(book: Book, token: Operator, id: Id) -> Backfill:  # noqa: A002 - its name in the path
    """Begin no more of its products; what runs goes on to the end of its lane."""
    with book.transaction():
        paused = book.pause(id)
        book.audit(token.name, "pause", id)
    return told(book, paused)


@router.post("/backfills/{id}/resume")
def resume(book: Book, token: Operator, id: Id) -> Backfill:  # noqa: A002 - its name in the path
    """Go on with it."""
    with book.transaction():
        resumed = book.resume(id)
        book.audit(token.name, "resume", id)
    return told(book, resumed)


@router.post("/backfills/{id}/abort")
def abort(book: Book, token: Operator, id: Id) -> Backfill:  # noqa: A002 - its name in the path
    """Give it up: what runs is stopped, what is queued leaves, but for what others want."""
    with book.transaction():
        aborted = book.abort(id)
        book.audit(token.name, "abort", id)
    return told(book, aborted)


@router.post("/backfills/{id}/retry")
def retry(book: Book, token: Operator, id: Id) -> Backfill:  # noqa: A002 - its name in the path
    """Try what failed or was aborted once more."""
    with book.transaction():
        products = book.retry(id)
        book.audit(token.name, "retry", id, {"products": products})
    return told(book, book.backfill_get(id))


@router.get("/backfills/{id}/failures")
def backfill_failures(
    book: Book,
    _: Reader,
    id: Id,  # noqa: A002 - its name in the path
    limit: Limit = 100,
    after: After = 0,
) -> list[Failure]:
    """List its products that were given up, and why."""
    book.backfill_get(id)
    return [Failure.model_validate(one) for one in book.failures(id, limit, after)]


@router.get("/failures")
def failures(book: Book, _: Reader, limit: Limit = 100, after: After = 0) -> list[Failure]:
    """List all products that were given up, and why."""
    return [Failure.model_validate(one) for one in book.failures(None, limit, after)]


def _noted(spec: BackfillSpec) -> dict[str, Any]:
    """Give what the trail keeps: thousands of names are in the backfill itself."""
    return spec.model_dump(mode="json", exclude={"source": {"names"}}, exclude_defaults=True)


def _followed(spec: BackfillSpec) -> BackfillSpec:
    if spec.kind != "backfill":
        raise BackfillSpecError("a watch is begun by `nimbostac watch`, which goes on as it runs")
    return spec
