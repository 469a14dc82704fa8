"""The STAC API over pgstac: search, links and downloads."""
