"""The tile server: TiTiler over the Items of pgstac."""
