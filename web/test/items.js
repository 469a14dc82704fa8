// An Item as the catalogue serves it, as far as the page reads it.

/** @typedef {import("../src/types").Item} Item */

export const ID = "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204";
const SITE = "http://localhost:8080";
const TILER = `${SITE}/tiler/collections/ukis-csmask-l1c/items/${ID}`;

/**
 * @param {object} [changes]
 * @param {string} [changes.id]
 * @param {Record<string, unknown>} [changes.properties]
 * @returns {Item}
 */
export function item({ id = ID, properties = {} } = {}) {
  return {
    id,
    collection: "ukis-csmask-l1c",
    bbox: [12.901234567, 52.3, 13.01, 52.44],
    geometry: {
      type: "Polygon",
      coordinates: [
        [
          [12.9, 52.3],
          [13.01, 52.3],
          [13.01, 52.44],
          [12.9, 52.44],
          [12.9, 52.3],
        ],
      ],
    },
    properties: {
      datetime: "2017-02-16T10:21:01Z",
      platform: "sentinel-2a",
      "eo:cloud_cover": 40,
      "grid:code": "MGRS-33UUU",
      "nimbostac:clear": 0.5,
      "nimbostac:cloud": 0.3,
      "nimbostac:semi_transparent": 0.1,
      "nimbostac:cloud_shadow": 0.1,
      "nimbostac:missing": 0,
      "nimbostac:engine": "ukis-csmask",
      "nimbostac:engine_version": "1.0.0",
      "nimbostac:level": "L1C",
      "nimbostac:baseline": "02.04",
      "sat:relative_orbit": 65,
      ...properties,
    },
    assets: {
      mask: {
        href: `${SITE}/stac/collections/ukis-csmask-l1c/items/${id}/download/it's.tif`,
        "classification:classes": [
          { value: 0, name: "no_data" },
          { value: 1, name: "clear", title: "Clear", color_hint: "66A61E" },
          { value: 4, name: "cloud", title: "Cloud", color_hint: "FFFFFF" },
        ],
      },
    },
    links: [
      { rel: "xyz", href: `${TILER}/tiles/WebMercatorQuad/{z}/{x}/{y}.png?assets=mask` },
      { rel: "tilejson", href: `${TILER}/WebMercatorQuad/tilejson.json?assets=mask` },
      { rel: "wmts", href: `${TILER}/WMTSCapabilities.xml?assets=mask` },
    ],
  };
}
