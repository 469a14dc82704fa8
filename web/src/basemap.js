// The ground of the map: Natural Earth's coast and borders, a grid of degrees, names of countries.

import { EARTH_MAX_ZOOM } from "./archives.js";
import { EARTH_TILES } from "./earth.js";
import { groundOf } from "./palette.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("maplibre-gl").LayerSpecification} Layer */
/** @typedef {import("maplibre-gl").StyleSpecification} Style */
/** @typedef {import("maplibre-gl").GeoJSONSource} GeoJSONSource */
/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Config} Config */

const FONT = ["system-ui"];
const NOTHING = { type: /** @type {const} */ ("FeatureCollection"), features: [] };

/**
 * Colours by kind, and not a layer a kind: footprints have colours by feature, too, so that one
 * program of the graphics processor draws both. A program takes tens of milliseconds to compile.
 *
 * @param {"light" | "dark"} theme @returns {any}
 */
function lineColor(theme) {
  const ground = groundOf(theme);
  return ["match", ["get", "kind"], "border", ground.border, ground.coast];
}

/** @param {"light" | "dark"} theme @returns {any} */
function landColor(theme) {
  const { land } = groundOf(theme);
  return ["match", ["get", "kind"], "polar", land, land];
}

/** @param {"light" | "dark"} theme @returns {any} */
function gridColor(theme) {
  const { grid } = groundOf(theme);
  return ["case", ["has", "name"], grid, grid];
}

/** @param {"light" | "dark"} theme @returns {Layer[]} */
function earthLayers(theme) {
  const from = /** @type {const} */ ({ source: "earth", "source-layer": "earth" });
  return [
    {
      id: "land",
      type: "fill",
      ...from,
      filter: ["in", ["get", "kind"], ["literal", ["land", "polar"]]],
      paint: { "fill-color": landColor(theme), "fill-antialias": false },
    },
    {
      id: "coast",
      type: "line",
      ...from,
      filter: ["in", ["get", "kind"], ["literal", ["land", "coast", "border"]]],
      paint: { "line-color": lineColor(theme), "line-width": 0.85 },
    },
  ];
}

/**
 * The style of an empty map. The page's own layers go on top, country names above them all. The sea
 * is the background of the page: one that the map draws covers every pixel of every frame once more.
 * Grid and names wait for `showNames`.
 *
 * @param {"light" | "dark"} theme
 * @param {Config["background"]} background
 * @returns {Style}
 */
export function groundStyle(theme, background) {
  const ground = groundOf(theme);
  /** @type {Style} */
  const style = {
    version: 8,
    sources: {
      earth: {
        type: "vector",
        tiles: [EARTH_TILES],
        maxzoom: EARTH_MAX_ZOOM,
        attribution: "Natural Earth",
      },
      countries: { type: "geojson", data: NOTHING },
      grid: { type: "geojson", data: NOTHING },
    },
    layers: [
      ...earthLayers(theme),
      {
        id: "grid",
        type: "line",
        source: "grid",
        layout: { visibility: "none" },
        paint: { "line-color": gridColor(theme), "line-width": 0.6, "line-opacity": 0.35 },
      },
      {
        // At points: letters along a line are placed again with every frame.
        id: "grid-names",
        type: "symbol",
        source: "grid",
        minzoom: 3,
        filter: ["has", "name"],
        layout: {
          visibility: "none",
          "text-field": ["get", "name"],
          "text-font": FONT,
          "text-size": 10,
        },
        paint: {
          "text-color": ground.grid,
          "text-halo-color": ground.halo,
          "text-halo-width": 1,
        },
      },
      {
        id: "countries",
        type: "symbol",
        source: "countries",
        maxzoom: 8,
        filter: [
          ">=",
          ["get", "area"],
          ["step", ["zoom"], 300, 2, 40, 3, 8, 4, 1, 5, 0],
        ],
        layout: {
          visibility: "none",
          "text-field": ["get", "name"],
          "text-font": FONT,
          "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 6, 14],
          "text-letter-spacing": 0.06,
          "text-max-width": 8,
          "symbol-sort-key": ["-", ["get", "area"]],
        },
        paint: {
          "text-color": ground.label,
          "text-halo-color": ground.halo,
          "text-halo-width": 1.4,
        },
      },
    ],
  };
  if (background) {
    style.sources.background = {
      type: "raster",
      tiles: [background.tiles],
      tileSize: 256,
      maxzoom: background.maxzoom ?? 19,
      attribution: background.attribution ?? "",
    };
    const names = style.layers.findIndex((layer) => layer.id === "grid");
    style.layers.splice(names, 0, { id: "background", type: "raster", source: "background" });
  }
  return style;
}

/**
 * Show the grid and the names on the ground, whose letters take as long to draw as all the rest.
 *
 * @param {MapView} map
 */
export function showNames(map) {
  const countries = /** @type {GeoJSONSource} */ (map.getSource("countries"));
  countries.setData(new URL("../vendor/countries.json", import.meta.url).href);
  drawGrid(map);
  for (const id of ["grid", "grid-names", "countries"]) {
    map.setLayoutProperty(id, "visibility", "visible");
  }
}

/** Draw the grid of what is in view. @param {MapView} map */
export function drawGrid(map) {
  const grid = /** @type {GeoJSONSource} */ (map.getSource("grid"));
  grid.setData(gridLines(boundsOf(map)));
}

/** What is in view; its east may be beyond 180 degrees. @param {MapView} map @returns {Box} */
export function boundsOf(map) {
  const bounds = map.getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}

/**
 * Give the ground the colours of a theme.
 *
 * @param {MapView} map
 * @param {"light" | "dark"} theme
 */
export function paintGround(map, theme) {
  const ground = groundOf(theme);
  map.setPaintProperty("land", "fill-color", landColor(theme));
  map.setPaintProperty("coast", "line-color", lineColor(theme));
  map.setPaintProperty("grid", "line-color", gridColor(theme));
  for (const [layer, color] of [
    ["grid-names", ground.grid],
    ["countries", ground.label],
  ]) {
    map.setPaintProperty(layer, "text-color", color);
    map.setPaintProperty(layer, "text-halo-color", ground.halo);
  }
}

/** @param {number} value @param {string} plus @param {string} minus */
function degrees(value, plus, minus) {
  const rounded = Math.abs(Math.round(value * 100) / 100);
  return rounded ? `${rounded}°${value > 0 ? plus : minus}` : "0°";
}

/** Names of lines stand near the left and the lower edge, as parts of the view. */
const NAME_AT = 0.05;

/**
 * Lines of whole degrees, or parts of them, of what is in view: about five across, and their names.
 *
 * @param {Box} box  May reach beyond 180 degrees.
 */
export function gridLines([west, south, east, north]) {
  const wanted = (east - west) / 5;
  const step = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15].find((one) => one >= wanted) ?? 30;
  const [low, high] = [Math.max(-85, south), Math.min(85, north)];
  const lines = [];
  for (let x = Math.ceil(west / step) * step; x <= east; x += step) {
    const turned = ((((x + 180) % 360) + 360) % 360) - 180;
    lines.push(line([[x, low], [x, high]]));
    lines.push(point(degrees(turned, "E", "W"), [x, low + (high - low) * NAME_AT]));
  }
  for (let y = Math.ceil(low / step) * step; y <= high; y += step) {
    lines.push(line([[west, y], [east, y]]));
    lines.push(point(degrees(y, "N", "S"), [west + (east - west) * NAME_AT, y]));
  }
  return { type: /** @type {const} */ ("FeatureCollection"), features: lines };
}

/** @param {number[][]} coordinates */
const line = (coordinates) => ({
  type: /** @type {const} */ ("Feature"),
  properties: {},
  geometry: { type: /** @type {const} */ ("LineString"), coordinates },
});

/** @param {string} name @param {number[]} coordinates */
const point = (name, coordinates) => ({
  type: /** @type {const} */ ("Feature"),
  properties: { name },
  geometry: { type: /** @type {const} */ ("Point"), coordinates },
});
