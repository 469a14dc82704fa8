"""Where the files of a mask lie in storage, and what they are called."""

from producer.product import ProductName

MASK = "mask"
"""Asset key of the mask itself."""
CATEGORIES = "categories"
"""Asset key of the class names, which GDAL and QGIS look for beside the mask."""
PREVIEW = "preview"
"""Asset key of the true-colour COG."""
THUMBNAIL = "thumbnail"
"""Asset key of the class-coloured PNG."""
PROBABILITIES = "probabilities"
"""Asset key of the probability of each class."""
METADATA = "metadata"
"""Asset key of the record."""

SUFFIXES = {
    MASK: ".tif",
    CATEGORIES: ".tif.aux.xml",
    PREVIEW: "_preview.tif",
    THUMBNAIL: "_thumbnail.png",
    PROBABILITIES: "_probabilities.tif",
    METADATA: ".json",
}
"""What follows the stem, by asset key."""


def collection_id(engine: str, level: str) -> str:
    """Id of the Collection that the masks of one engine and level make up."""
    return f"{engine}-{level.lower()}"


def stem_key(name: ProductName, engine: str, version: str) -> str:
    """Key of a mask's files without what ``SUFFIXES`` adds.

    A folder a product keeps every folder short, however many years a tile has.
    """
    tile = name.tile
    folder = (
        f"{collection_id(engine, name.level)}/{tile[:2]}/{tile[2]}/{tile[3:]}"
        f"/{name.sensed:%Y}/{name.sensed:%m}/{name}"
    )
    return f"{folder}/{name}_{engine}-{version}"


def file_key(stem: str, asset: str) -> str:
    """Key of one file of a mask.

    Args:
        stem: What ``stem_key`` gave.
        asset: Key of ``SUFFIXES``.
    """
    return stem + SUFFIXES[asset]
