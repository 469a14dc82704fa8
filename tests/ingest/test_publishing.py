import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ingest import items, publishing
from ingest.items import ITEM_SUFFIX
from ingest.publishing import Ready
from ingest.writing import together
from producer.errors import RecordError, StorageError
from producer.layout import METADATA, SUFFIXES
from producer.storage import Storage
from tests import records

# What may lie in the place of an Item: half of one, another's, and JSON of any shape.
SPOILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "of another product": lambda whole: {**whole, "id": "S2A_OTHER"},
    "of another Collection": lambda whole: {**whole, "collection": "other-l1c"},
    "of an older making": lambda whole: {
        **whole,
        "properties": {**whole["properties"], "created": "2020-01-01T00:00:00Z"},
    },
    "made at no time": lambda whole: {**whole, "properties": {"created": None}},
    "without assets": lambda whole: {key: whole[key] for key in whole if key != "assets"},
    "links of no kind": lambda whole: {**whole, "links": ["collection.json"]},
    "a list": lambda whole: [whole],
    "nothing": lambda _whole: None,
}


@pytest.fixture
def stored(store: Storage) -> records.Stored:
    return records.stored_mask(store)


def item_key(stored: records.Stored) -> str:
    return stored.record_key.removesuffix(SUFFIXES[METADATA]) + ITEM_SUFFIX


def written(store: Storage, stored: records.Stored) -> dict[str, Any]:
    """Write the Item of a mask beside it; gives what lies there."""
    publishing.write_item(store, publishing.read(store, stored.record_key))
    whole: dict[str, Any] = json.loads(store.get(item_key(stored)))
    return whole


def ready(store: Storage, stored: records.Stored) -> Ready:
    with together(store) as writer:
        return publishing.ready(store, writer, stored.record_key)


def expected(store: Storage, stored: records.Stored) -> Ready:
    record = stored.record
    folder = store.href(stored.record_key.rpartition("/")[0])
    whole = json.loads(json.dumps(items.item(record, folder)))
    return Ready(stored.record_key, record.engine, record.level, whole)


def test_the_item_that_lies_beside_a_record_is_the_one_that_would_be_built(
    store: Storage, stored: records.Stored
) -> None:
    whole = written(store, stored)
    assert ready(store, stored) == expected(store, stored)
    # It is taken, not built once more.
    marked = {**whole, "properties": {**whole["properties"], "title": "as it lies there"}}
    store.put(item_key(stored), json.dumps(marked).encode())
    assert ready(store, stored).item["properties"]["title"] == "as it lies there"


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_an_item_that_was_not_made_of_its_record_is_written_anew(
    store: Storage, stored: records.Stored, spoil: Callable[[dict[str, Any]], object]
) -> None:
    whole = written(store, stored)
    store.put(item_key(stored), json.dumps(spoil(whole)).encode())
    assert ready(store, stored) == expected(store, stored)
    assert json.loads(store.get(item_key(stored))) == whole


def test_half_of_an_item_or_none_is_written_anew(store: Storage, stored: records.Stored) -> None:
    whole = written(store, stored)
    store.put(item_key(stored), store.get(item_key(stored))[:500])
    assert ready(store, stored) == expected(store, stored)
    store.delete(item_key(stored))
    assert ready(store, stored) == expected(store, stored)
    assert json.loads(store.get(item_key(stored))) == whole


def test_a_mask_that_was_made_again_has_its_item_written_anew(
    store: Storage, stored: records.Stored
) -> None:
    written(store, stored)
    later = stored.record.model_copy(
        update={"created": stored.record.created + timedelta(microseconds=1)}
    )
    store.put(stored.record_key, later.model_dump_json().encode())
    again = records.Stored(later, stored.stem)
    assert ready(store, again) == expected(store, again)


def test_a_record_that_is_none_is_told_whatever_lies_beside_it(
    store: Storage, stored: records.Stored
) -> None:
    written(store, stored)
    store.put(stored.record_key, store.get(stored.record_key)[:200])
    with pytest.raises(RecordError, match="JSON"):
        ready(store, stored)
    store.delete(stored.record_key)
    with pytest.raises(StorageError, match="cannot read"):
        ready(store, stored)
