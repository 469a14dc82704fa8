"""Answers as STAC Items: the catalogue's own, with what the masks say about the polygon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.addresses import collection_path, give_downloads, item_path
from producer.storage import Storage
from tiler.clear.candidates import Key
from tiler.clear.rows import Row


@dataclass(frozen=True, slots=True)
class Features:
    """Makes Items of rows."""

    catalogue: str | None
    """Address of the STAC API, without a closing slash; without one there are no links to it."""
    store: Storage | None

    def page(
        self, rows: Sequence[Row], items: Mapping[Key, dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Dress the Items of a page; one that has gone meanwhile is left out."""
        return [self._feature(row, items[row.first.key]) for row in rows if row.first.key in items]

    def _feature(self, row: Row, item: dict[str, Any]) -> dict[str, Any]:
        feature = {
            **item,
            "properties": {**item["properties"], **row.properties()},
        }
        if self.catalogue is not None:
            feature["links"] = [*_links(row, self.catalogue), *item.get("links", [])]
            give_downloads(feature, self.catalogue, self.store)
        return feature


def _links(row: Row, catalogue: str) -> list[dict[str, Any]]:
    collection = catalogue + collection_path(row.first.collection)
    link = {"type": "application/json"}
    item = {"type": "application/geo+json"}
    return [
        {"rel": "self", "href": catalogue + item_path(*row.first.key), **item},
        {"rel": "root", "href": catalogue, **link},
        {"rel": "parent", "href": collection, **link},
        {"rel": "collection", "href": collection, **link},
        *(
            {"rel": "item", "href": catalogue + item_path(*product.key), **item}
            for product in row.products[1:]
        ),
    ]
