"""Addresses of Items and their files below a STAC API, for whoever serves Items."""

from typing import Any
from urllib.parse import quote

from producer.errors import StorageError
from producer.storage import Storage


def collection_path(collection: str) -> str:
    """Path of a Collection below the API."""
    return f"/collections/{quote(collection, safe='')}"


def item_path(collection: str, item: str) -> str:
    """Path of an Item below the API."""
    return f"{collection_path(collection)}/items/{quote(item, safe='')}"


def download_path(collection: str, item: str, name: str) -> str:
    """Path of one file of an Item below the API."""
    return f"{item_path(collection, item)}/download/{quote(name, safe='')}"


def stored_key(asset: dict[str, Any], store: Storage | None) -> str | None:
    """Key of an asset's file; ``None`` where it does not lie in the store."""
    if store is None or "href" not in asset:
        return None
    try:
        return store.key(asset["href"])
    except StorageError:
        return None


def give_downloads(item: dict[str, Any], api: str, store: Storage | None) -> None:
    """Replace the storage addresses of a served Item by those that clients can open.

    Args:
        item: Its assets are changed.
        api: Address of the STAC API, without a closing slash.
        store: Where the files lie; without one they keep their addresses.
    """
    for asset in item.get("assets", {}).values():
        key = stored_key(asset, store)
        if key is not None:
            name = key.rpartition("/")[2]
            asset["href"] = api + download_path(item["collection"], item["id"], name)
