"""Items as pgstac would give them, at a hundredth of the time."""

import orjson
import psycopg

from ingest import pgstac as loading
from producer.storage import Storage
from tests import records
from tiler.clear.candidates import Catalogue
from tiler.clear.hydration import hydrated
from tiler.database import open_pool
from tiler.settings import TilerSettings


def test_items_are_made_whole_as_pgstac_itself_does(pgstac: str, store: Storage) -> None:
    stored = records.stored_mask(store)
    records.catalogued(store, stored)
    with psycopg.connect(autocommit=True, options="-c search_path=pgstac,public") as connection:
        # A Collection that is edited keeps what its older Items lack.
        collection = connection.execute("SELECT content FROM pgstac.collections").fetchone()[0]
        collection["item_assets"]["mask"]["title"] = "Another title"
        collection["item_assets"]["preview"]["more"] = {"than": ["before"]}
        with loading.opened() as database:
            database.save(collection)
        query = "SELECT pgstac.content_hydrate(items)::text FROM pgstac.items"
        truth = orjson.loads(connection.execute(query).fetchone()[0])
    with open_pool(TilerSettings()) as pool:
        found = Catalogue(pool, 10).items([(stored.collection, stored.item)], 30)
    assert found == {(stored.collection, stored.item): truth}
    assert truth["assets"]["mask"]["title"] == "Cloud mask"


def test_what_an_item_lacks_by_intent_stays_away() -> None:
    base = {"a": {"x": 1, "y": [1, {"z": 2}]}, "b": 3, "c": [1, 2]}
    item = {"a": {"x": "𒍟※", "y": [5, {}]}, "c": [9], "d": 4}
    whole = hydrated(item, base)
    assert whole == {"a": {"y": [5, {"z": 2}]}, "b": 3, "c": [9], "d": 4}
