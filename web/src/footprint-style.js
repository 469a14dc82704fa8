// How footprints are drawn: polygons near, dots far away, names of tiles between.

import { cloudColor, cloudStops, groundOf } from "./palette.js";

/** @typedef {import("maplibre-gl").LayerSpecification} Layer */
/** @typedef {import("maplibre-gl").SourceSpecification} Source */
/** @typedef {import("maplibre-gl").StyleSpecification} Style */

export const FOOTPRINTS = "footprints";
/** A layer of the tiles bears the same name. */
const FROM = { source: FOOTPRINTS, "source-layer": FOOTPRINTS };
/** Deeper tiles would say the same more finely than anyone sees. */
const MAX_ZOOM = 9;
/** Layers of the tiles themselves. */
export const OF_TILES = ["footprints-fill", "footprints-line", "footprints-hover"];
export const NOTHING = { type: /** @type {const} */ ("FeatureCollection"), features: [] };
export const LINE = 0.8;
/** @param {number} far @param {number} near  Opacity. @returns {any} */
const fill = (far, near) => ["interpolate", ["linear"], ["zoom"], 7.6, far, 8.2, near];
/** Near enough to see masks, the colours of footprints would lie about theirs. */
export const FILL = fill(0.55, 0.02);
/** An expression like it: where one turns into a plain number, MapLibre fails at tiles on the way. */
export const NO_FILL = fill(0, 0);

/** @param {any} known  Whether there is a share. @param {any} share  0 to 1. @returns {any} */
const colorBy = (known, share) => [
  "case",
  known,
  ["interpolate", ["linear"], share, ...cloudStops().flatMap((stop) => [stop.share, stop.color])],
  cloudColor(null),
];

/** Of the newest Item of a place, or of one. @returns {any} */
function coverColor() {
  const [mean, own] = ["mean_cloud_cover", "cloud_cover"];
  return colorBy(
    ["any", ["has", mean], ["has", own]],
    ["/", ["coalesce", ["get", mean], ["get", own], 0], 100],
  );
}

/** @param {any} share  Expression of what may be null. @returns {any} */
const shareColor = (share) => colorBy(["!=", share, null], ["number", share, 0]);

/** Nothing but for the uppermost of those that lie on one another. @param {any} color @returns {any} */
const ifTop = (color) => ["case", ["boolean", ["feature-state", "top"], false], color, "rgba(0, 0, 0, 0)"];

/** Address of the vector tiles, if it is known. @param {string | null} template @returns {Source} */
export function tilesSource(template) {
  return {
    type: "vector",
    tiles: template ? [template] : [],
    maxzoom: MAX_ZOOM,
    promoteId: { [FOOTPRINTS]: "id" },
  };
}

/**
 * Put footprints into the style of a map that is yet to be made: below the names of countries,
 * whose letters stay readable.
 *
 * @param {Style} style @param {"light" | "dark"} theme @param {string | null} template @returns {Style}
 */
export function withFootprints({ sources, layers, ...style }, theme, template) {
  const names = layers.findIndex(({ id }) => id === "countries");
  return {
    ...style,
    sources: {
      ...sources,
      [FOOTPRINTS]: tilesSource(template),
      dots: { type: "geojson", data: NOTHING },
      selected: { type: "geojson", data: NOTHING },
    },
    layers: [
      ...layers.slice(0, names),
      ...footprintLayers(theme, template),
      dots(theme),
      ...layers.slice(names),
      tileNames(theme),
    ],
  };
}

/**
 * A source that nothing shows asks for no tiles: without an address its layers are hidden.
 *
 * @param {"light" | "dark"} theme @param {string | null} template @returns {Layer[]}
 */
function footprintLayers(theme, template) {
  const { accent } = groundOf(theme);
  const visibility = template ? "visible" : "none";
  return [
    {
      id: "footprints-fill",
      type: "fill",
      ...FROM,
      layout: { visibility },
      paint: {
        "fill-color": ifTop(shareColor(["feature-state", "share"])),
        "fill-opacity": FILL,
        "fill-antialias": false,
      },
    },
    {
      id: "footprints-line",
      type: "line",
      ...FROM,
      layout: { visibility },
      paint: {
        // One over the other, the soft edges of lines turn into steps.
        "line-color": ifTop(coverColor()),
        "line-width": 1.2,
        "line-opacity": LINE,
      },
    },
    {
      id: "footprints-hover",
      type: "line",
      ...FROM,
      filter: ["==", ["get", "id"], ""],
      layout: { visibility },
      paint: { "line-color": accent, "line-width": 2.5 },
    },
    {
      id: "selected-line",
      type: "line",
      source: "selected",
      paint: { "line-color": accent, "line-width": 2 },
    },
  ];
}

/** @param {"light" | "dark"} theme @returns {Layer} */
const dots = (theme) => ({
  id: "dots",
  type: "circle",
  source: "dots",
  filter: ["<", ["zoom"], ["get", "far"]],
  paint: {
    "circle-color": shareColor(["get", "share"]),
    "circle-radius": 5,
    "circle-stroke-color": groundOf(theme).land,
    "circle-stroke-width": 1.5,
  },
});

/** @param {"light" | "dark"} theme @returns {Layer} */
const tileNames = (theme) => ({
  id: "tile-names",
  type: "symbol",
  source: "dots",
  minzoom: 6,
  maxzoom: 8.5,
  layout: {
    "text-field": ["concat", ["get", "tile"], " \u00b7 ", ["get", "count"]],
    "text-font": ["system-ui"],
    "text-size": 12,
  },
  paint: {
    "text-color": groundOf(theme).label,
    "text-halo-color": groundOf(theme).halo,
    "text-halo-width": 1.4,
  },
});
