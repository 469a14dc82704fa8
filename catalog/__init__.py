"""The STAC API over pgstac: search, links and downloads."""

import logging

# stac-fastapi complains, as it is imported, of a title that only `catalog.app` can give.
logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)
