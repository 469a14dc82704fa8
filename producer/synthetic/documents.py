"""The XML of a written product, element by element as in ESA's."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from producer.safe.spectrum import BAND_IDS, RESOLUTIONS_M
from producer.synthetic.facts import SafeFacts

_PSD = "https://psd-14.sentinel2.eo.esa.int/PSD/"
_XFDU = "urn:ccsds:schema:xfdu:1"
_SAFE = "http://www.esa.int/safe/sentinel/1.1"
_GML = "http://www.opengis.net/gml"
_CENTRE = "NIMB"
"""Four letters for the processing centre: none of ESA's, for none of them made this."""
_CHUNK_BYTES = 2**20


def product_xml(facts: SafeFacts, images: Iterable[str]) -> bytes:
    """Write ``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``.

    Args:
        facts: What to say.
        images: Paths of the rasters below the product's folder.
    """
    level = f"Level-{facts.name.level[1:]}"
    space = f"{_PSD}User_Product_{level}.xsd"
    register_namespace("n1", space)
    root = Element(f"{{{space}}}{level}_User_Product")
    general = SubElement(root, f"{{{space}}}General_Info")
    _product_info(SubElement(general, "Product_Info"), facts, images)
    image = SubElement(general, "Product_Image_Characteristics")
    for text, value in (("NODATA", 0), ("SATURATED", 65535)):
        special = SubElement(image, "Special_Values")
        _leaf(special, "SPECIAL_VALUE_TEXT", text)
        _leaf(special, "SPECIAL_VALUE_INDEX", value)
    _radiometry(image, facts)
    place = SubElement(root, f"{{{space}}}Geometric_Info")
    outline = SubElement(place, "Product_Footprint")
    inner = SubElement(outline, "Product_Footprint")
    _leaf(SubElement(inner, "Global_Footprint"), "EXT_POS_LIST", _positions(facts))
    _leaf(outline, "RASTER_CS_TYPE", "POINT")
    _leaf(outline, "PIXEL_ORIGIN", 1)
    crs = SubElement(place, "Coordinate_Reference_System")
    _leaf(crs, "GEO_TABLES", "EPSG", version="1")
    _leaf(crs, "HORIZONTAL_CS_TYPE", "GEOGRAPHIC")
    quality = SubElement(root, f"{{{space}}}Quality_Indicators_Info")
    if facts.cloud_cover is not None:
        _leaf(quality, "Cloud_Coverage_Assessment", f"{facts.cloud_cover:.6f}")
    return _document(root)


def tile_xml(facts: SafeFacts) -> bytes:
    """Write ``MTD_TL.xml``."""
    level = f"Level-{facts.name.level[1:]}"
    space = f"{_PSD}S2_PDI_{level}_Tile_Metadata.xsd"
    register_namespace("n1", space)
    root = Element(f"{{{space}}}{level}_Tile_ID")
    general = SubElement(root, f"{{{space}}}General_Info")
    _leaf(general, "TILE_ID", _tile_id(facts), metadataLevel="Brief")
    _leaf(general, "DATASTRIP_ID", _datastrip_id(facts), metadataLevel="Standard")
    _leaf(general, "DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard")
    _leaf(general, "SENSING_TIME", _time(facts.sensed), metadataLevel="Standard")
    geometry = SubElement(root, f"{{{space}}}Geometric_Info")
    _geocoding(SubElement(geometry, "Tile_Geocoding", metadataLevel="Brief"), facts)
    angles = SubElement(geometry, "Tile_Angles", metadataLevel="Standard")
    sun = SubElement(angles, "Mean_Sun_Angle")
    _angles(sun, facts.view.sun_zenith, facts.view.sun_azimuth)
    if facts.view.sensor is not None:
        view = SubElement(angles, "Mean_Viewing_Incidence_Angle_List")
        for number in range(len(BAND_IDS)):
            angle = SubElement(view, "Mean_Viewing_Incidence_Angle", bandId=str(number))
            _angles(angle, *facts.view.sensor)
    quality = SubElement(root, f"{{{space}}}Quality_Indicators_Info", metadataLevel="Standard")
    content = SubElement(quality, "Image_Content_QI")
    if facts.cloud_cover is not None:
        _leaf(content, "CLOUDY_PIXEL_PERCENTAGE", f"{facts.cloud_cover:.6f}")
    return _document(root)


def manifest(facts: SafeFacts, folder: Path, names: Iterable[str]) -> bytes:
    """Write ``manifest.safe`` of the files that are in a product's folder.

    Args:
        facts: What to say.
        folder: The product's folder, all its other files in place.
        names: Their paths below it.
    """
    for prefix, space in (("xfdu", _XFDU), ("safe", _SAFE), ("gml", _GML)):
        register_namespace(prefix, space)
    kind = facts.name.level.lower()
    root = Element(
        f"{{{_XFDU}}}XFDU",
        version=f"esa/safe/sentinel/1.1/sentinel-2/msi/archive_{kind}_user_product",
    )
    about = SubElement(root, "metadataSection")
    period = SubElement(_metadata(about, "acquisitionPeriod"), f"{{{_SAFE}}}acquisitionPeriod")
    _leaf(period, f"{{{_SAFE}}}startTime", _time(facts.name.sensed))
    frames = SubElement(_metadata(about, "measurementFrameSet"), f"{{{_SAFE}}}frameSet")
    outline = SubElement(frames, f"{{{_SAFE}}}footPrint", srsName=f"{_GML}/srs/epsg.xml#4326")
    _leaf(outline, f"{{{_GML}}}coordinates", _positions(facts))
    objects = SubElement(root, "dataObjectSection")
    for name in names:
        path = folder / name
        entry = SubElement(objects, "dataObject", ID=_object_id(facts, name))
        mime = "text/xml" if path.suffix == ".xml" else "application/octet-stream"
        stream = SubElement(entry, "byteStream", mimeType=mime, size=str(path.stat().st_size))
        SubElement(stream, "fileLocation", href=f"./{name}", locatorType="URL")
        _leaf(stream, "checksum", _sha3(path), checksumName="SHA3-256")
    return _document(root)


def _product_info(info: Element, facts: SafeFacts, images: Iterable[str]) -> None:
    name = facts.name
    for tag, value in (
        ("PRODUCT_START_TIME", _time(name.sensed)),
        ("PRODUCT_STOP_TIME", _time(name.sensed)),
        ("PRODUCT_URI", f"{name}.SAFE"),
        ("PROCESSING_LEVEL", f"Level-{name.level[1:]}"),
        ("PRODUCT_TYPE", f"S2MSI{name.level[1:]}"),
        ("PROCESSING_BASELINE", facts.baseline),
        ("GENERATION_TIME", _time(name.sensed)),
    ):
        _leaf(info, tag, value)
    taken = f"G{name.platform}_{name.sensed:%Y%m%dT%H%M%S}_{facts.absolute_orbit:06}"
    datatake = SubElement(info, "Datatake", datatakeIdentifier=f"{taken}_N{facts.baseline}")
    _leaf(datatake, "SPACECRAFT_NAME", f"Sentinel-{name.platform[1:]}")
    _leaf(datatake, "DATATAKE_SENSING_START", _time(name.sensed))
    _leaf(datatake, "SENSING_ORBIT_NUMBER", name.orbit)
    granules = SubElement(SubElement(info, "Product_Organisation"), "Granule_List")
    granule = SubElement(
        granules,
        "Granule",
        datastripIdentifier=_datastrip_id(facts),
        granuleIdentifier=_tile_id(facts),
        imageFormat="JPEG2000",
    )
    for image in images:
        _leaf(granule, "IMAGE_FILE", image.removesuffix(".jp2"))


def _radiometry(image: Element, facts: SafeFacts) -> None:
    if facts.name.level == "L1C":
        _leaf(image, "QUANTIFICATION_VALUE", facts.quantification, unit="none")
        tags = ("Radiometric_Offset_List", "RADIO_ADD_OFFSET")
    else:
        values = SubElement(image, "QUANTIFICATION_VALUES_LIST")
        _leaf(values, "BOA_QUANTIFICATION_VALUE", facts.quantification, unit="none")
        _leaf(values, "AOT_QUANTIFICATION_VALUE", "1000.0", unit="none")
        _leaf(values, "WVP_QUANTIFICATION_VALUE", "1000.0", unit="cm")
        tags = ("BOA_ADD_OFFSET_VALUES_LIST", "BOA_ADD_OFFSET")
    if facts.offset is not None:
        offsets = SubElement(image, tags[0])
        for number in range(len(BAND_IDS)):
            _leaf(offsets, tags[1], facts.offset, band_id=str(number))


def _geocoding(place: Element, facts: SafeFacts) -> None:
    epsg = facts.grids[10].epsg
    zone, half = epsg % 100, "N" if epsg < 32700 else "S"  # noqa: PLR2004
    _leaf(place, "HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {zone}{half}")
    _leaf(place, "HORIZONTAL_CS_CODE", f"EPSG:{epsg}")
    for resolution in RESOLUTIONS_M:
        size = SubElement(place, "Size", resolution=str(resolution))
        _leaf(size, "NROWS", facts.grids[resolution].height)
        _leaf(size, "NCOLS", facts.grids[resolution].width)
    for resolution in RESOLUTIONS_M:
        corner = SubElement(place, "Geoposition", resolution=str(resolution))
        _leaf(corner, "ULX", f"{facts.grids[resolution].x_m:g}")
        _leaf(corner, "ULY", f"{facts.grids[resolution].y_m:.12g}")
        _leaf(corner, "XDIM", resolution)
        _leaf(corner, "YDIM", -resolution)


def _angles(parent: Element, zenith: float, azimuth: float) -> None:
    _leaf(parent, "ZENITH_ANGLE", f"{zenith:.9g}", unit="deg")
    _leaf(parent, "AZIMUTH_ANGLE", f"{azimuth:.9g}", unit="deg")


def _metadata(section: Element, name: str) -> Element:
    entry = SubElement(
        section, "metadataObject", ID=name, category="DMD", classification="DESCRIPTION"
    )
    wrap = SubElement(entry, "metadataWrap", mimeType="text/xml", vocabularyName="Sentinel-SAFE")
    return SubElement(wrap, "xmlData")


def _leaf(parent: Element, tag: str, value: object, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = str(value)


def _positions(facts: SafeFacts) -> str:
    return " ".join(f"{latitude:.9f} {longitude:.9f}" for longitude, latitude in facts.ring)


def _time(when: object) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"


def _tile_id(facts: SafeFacts) -> str:
    name = facts.name
    return (
        f"{name.platform}_OPER_MSI_{name.level}_TL_{_CENTRE}_{name.discriminator}"
        f"_A{facts.absolute_orbit:06}_T{name.tile}_N{facts.baseline}"
    )


def _datastrip_id(facts: SafeFacts) -> str:
    name = facts.name
    return (
        f"{name.platform}_OPER_MSI_{name.level}_DS_{_CENTRE}_{name.discriminator}"
        f"_S{name.sensed:%Y%m%dT%H%M%S}_N{facts.baseline}"
    )


def _object_id(facts: SafeFacts, name: str) -> str:
    level = f"S2_Level-{facts.name.level[1:]}"
    if name.startswith("MTD_MSI"):
        return f"{level}_Product_Metadata"
    if name.endswith("MTD_TL.xml"):
        return f"{level}_Tile1_Metadata"
    band = "_".join(Path(name).stem.split("_")[2:])
    return f"IMG_DATA_Band_{band}_Tile1_Data"


def _sha3(path: Path) -> str:
    digest = hashlib.sha3_256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _document(root: Element) -> bytes:
    indent(root)
    document: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return document
