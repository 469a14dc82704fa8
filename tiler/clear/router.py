"""All endpoints about the sky over polygons."""

from fastapi import APIRouter

from tiler.clear import history, searches, summaries

router = APIRouter()
router.include_router(searches.router)
router.include_router(summaries.router)
router.include_router(history.router)
