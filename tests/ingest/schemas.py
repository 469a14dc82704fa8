"""Validation of STAC documents without a network."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pystac
from pystac.validation.stac_validator import JsonSchemaSTACValidator

_PREFIXES = {
    "classification": ("classification:",),
    "eo": ("eo:",),
    "file": ("file:",),
    "grid": ("grid:",),
    "mgrs": ("mgrs:",),
    "processing": ("processing:",),
    "projection": ("proj:",),
    "raster": ("raster:",),
    "sat": ("sat:",),
    "view": ("view:",),
}
_WITHOUT_PREFIX = {"version": "version", "render": "renders"}


def check(document: dict[str, Any]) -> None:
    """Validate against STAC 1.1.0, whose schemas pystac ships, and hold to the extensions."""
    document = json.loads(json.dumps(document))
    kind = pystac.STACObjectType(document["type"])
    JsonSchemaSTACValidator().validate_core(document, kind, "1.1.0")
    assert _used(document) == {_name(url) for url in document["stac_extensions"]}
    for url in document["stac_extensions"]:
        schema = published_schema(url)
        if schema is not None:
            jsonschema.validate(document, schema)


def published_schema(url: str) -> dict[str, Any] | None:
    """The extension's own schema, where NIMBOSTAC_SCHEMAS names a folder that has it.

    Files are called ``eo.json`` and so on, as published under https://stac-extensions.github.io.
    """
    folder = os.environ.get("NIMBOSTAC_SCHEMAS")
    path = Path(folder or ".") / f"{_name(url)}.json"
    if folder is None or not path.exists():
        return None
    schema: dict[str, Any] = json.loads(path.read_text())
    assert schema["$id"].rstrip("#") == url
    return schema


def _name(url: str) -> str:
    return url.removeprefix("https://stac-extensions.github.io/").partition("/")[0]


def _used(document: dict[str, Any]) -> set[str]:
    keys = set(_keys(document))
    prefixed = {
        name
        for name, prefixes in _PREFIXES.items()
        if any(key.startswith(prefixes) for key in keys)
    }
    return prefixed | {name for name, key in _WITHOUT_PREFIX.items() if key in keys}


def _keys(value: Any) -> list[str]:
    if isinstance(value, list):
        return [key for part in value for key in _keys(part)]
    if isinstance(value, dict):
        return [*value, *(key for part in value.values() for key in _keys(part))]
    return []
