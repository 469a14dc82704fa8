"""Which Collections hold a mask of a product, or of another product of the same scene."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from ingest.addresses import item_path
from producer.errors import ProductNameError
from producer.product import ProductName
from tiler.database import Pool
from tiler.errors import ProductNotFoundError

# An Item says when its tile was sensed, its name when the datatake began.
_SENSED = """ AND items.datetime
    BETWEEN %(sensed)s - interval '1 hour' AND %(sensed)s + interval '1 hour'"""
_FACTS = """
SELECT items.collection, items.id, coalesce(collections.content->>'title', items.collection),
    items.content->'properties', array(SELECT jsonb_object_keys(items.content->'assets'))
FROM items JOIN collections ON collections.id = items.collection
WHERE (items.id = %(id)s OR items.id LIKE %(scene)s) AND items.content->'assets' ? 'mask'
"""
_ORDER = " ORDER BY items.id <> %(id)s, items.collection, items.id LIMIT 100"
_RASTERS = ("mask", "preview")


@dataclass(frozen=True, slots=True)
class Sibling:
    """One mask of a scene."""

    collection: str
    item: str
    title: str
    same: Literal["product", "scene"]
    properties: dict[str, Any]
    assets: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where the tile server draws it."""
        return item_path(self.collection, self.item)

    def told(self, base: str) -> dict[str, Any]:
        """Give the facts that a page shows.

        Args:
            base: Address of the tile server, without a closing slash.
        """
        said = self.properties
        return {
            "collection": self.collection,
            "item": self.item,
            "same": self.same,
            "title": self.title,
            "datetime": said.get("datetime"),
            "engine": said.get("nimbostac:engine"),
            "engine_version": said.get("nimbostac:engine_version"),
            "cloud_cover": said.get("eo:cloud_cover"),
            "clear": said.get("nimbostac:clear"),
            "tilejson": f"{base}{self.path}/WebMercatorQuad/tilejson.json",
            "preview": f"{base}{self.path}/preview.png?max_size=512",
            "assets": list(self.assets),
        }


def siblings(pool: Pool, item: str) -> list[Sibling]:
    """Find the masks of a product, then those of other products of its scene.

    Raises:
        ProductNotFoundError: No Collection holds the product.
    """
    values: dict[str, Any] = {"id": item, "scene": None, "sensed": None}
    query = _FACTS + _ORDER
    try:
        name = ProductName.parse(item)
    except ProductNameError:
        pass
    else:
        values |= {"scene": _scene_of(name), "sensed": name.sensed}
        query = _FACTS + _SENSED + _ORDER
    with pool.connection() as connection:
        rows = connection.execute(query.encode(), values).fetchall()
    found = [
        Sibling(
            collection,
            other,
            title,
            "product" if other == item else "scene",
            properties,
            tuple(key for key in _RASTERS if key in assets),
        )
        for collection, other, title, properties, assets in rows
    ]
    if not found or found[0].same != "product":
        raise ProductNotFoundError(item)
    return found


def _scene_of(name: ProductName) -> str:
    """Give what matches the products of one datatake and tile, of any level and baseline."""
    fixed = (f"{name.platform}_MSI", f"_{name.sensed:%Y%m%dT%H%M%S}_N")
    orbit = f"_R{name.orbit:03}_T{name.tile}_"
    level, baseline, *words = (
        "___",
        "____",
        *(text.replace("_", r"\_") for text in (*fixed, orbit)),
    )
    return f"{words[0]}{level}{words[1]}{baseline}{words[2]}%"


def pair_path(one: tuple[str, str], other: tuple[str, str]) -> str:
    """Give the path below the tile server at which two Items are compared."""
    return f"/compare{item_path(*one)}/with{item_path(*other).removeprefix('/collections')}"


def pairs(found: list[Sibling], base: str) -> list[dict[str, Any]]:
    """Give every two masks with the address at which they are compared."""
    return [
        {
            "a": [one.collection, one.item],
            "b": [other.collection, other.item],
            "href": base + pair_path((one.collection, one.item), (other.collection, other.item)),
        }
        for one, other in combinations(found, 2)
    ]
