"""The bands of MSI: their order, their native resolution, what each level holds."""

BAND_IDS: tuple[str, ...] = (
    "B01",
    "B02",
    "B03",
    "B04",
    "B05",
    "B06",
    "B07",
    "B08",
    "B8A",
    "B09",
    "B10",
    "B11",
    "B12",
)
"""Band names by ``band_id`` of the metadata, 0 to 12."""

NATIVE_RESOLUTION_M: dict[str, int] = {
    "B01": 60,
    "B02": 10,
    "B03": 10,
    "B04": 10,
    "B05": 20,
    "B06": 20,
    "B07": 20,
    "B08": 10,
    "B8A": 20,
    "B09": 60,
    "B10": 60,
    "B11": 20,
    "B12": 20,
    "AOT": 10,
    "WVP": 10,
    "SCL": 20,
}
"""Edge of a pixel at which a band carries all that was measured."""

LEVEL_BANDS: dict[str, tuple[str, ...]] = {
    "L1C": BAND_IDS,
    # Sen2Cor writes no cirrus band: nothing of the ground is left in it.
    "L2A": (*(band for band in BAND_IDS if band != "B10"), "AOT", "WVP", "SCL"),
}
"""Rasters of a complete product, by level."""

RESOLUTIONS_M: tuple[int, ...] = (10, 20, 60)
