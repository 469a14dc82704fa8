// Footprints of what was found: polygons near, dots far away, names of tiles between.

import { cloudShare, tileOf } from "./facts.js";
import { boxOf, covers, unwrapped, wrapped, zoomOfWidth } from "./geometry.js";
import { cloudStops, groundOf } from "./palette.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("./types").Item} Item */

/** Footprints narrower than this are drawn as dots. */
const DOT_PX = 14;
/** Near enough to see masks, the colours of footprints would lie about theirs. */
const FILL = /** @type {any} */ (["interpolate", ["linear"], ["zoom"], 7.6, 0.55, 8.2, 0.02]);
const LINE = 0.8;
const NOTHING = { type: /** @type {const} */ ("FeatureCollection"), features: [] };

/** @type {import("maplibre-gl").DataDrivenPropertyValueSpecification<string>} */
const COLOR = /** @type {any} */ ([
  "case",
  ["==", ["get", "share"], null],
  "rgb(150, 150, 150)",
  [
    "interpolate",
    ["linear"],
    ["get", "share"],
    ...cloudStops().flatMap(({ share, color }) => [share, color]),
  ],
]);

/** @param {Item} item @returns {[number, number]} */
function middleOf(item) {
  const [west, south, east, north] = unwrapped(boxOf(item.bbox));
  return [wrapped((west + east) / 2), (south + north) / 2];
}

/** @param {any[]} features */
const collectionOf = (features) => ({
  type: /** @type {const} */ ("FeatureCollection"),
  features,
});

/**
 * Products of one tile, drawn as one area: its largest footprint in the colour of their mean.
 *
 * @param {Item[]} items  Newest first.
 */
function areasOf(items) {
  /** @type {Map<string, Item[]>} */
  const tiles = new Map();
  for (const item of items) {
    const tile = tileOf(item) || item.id;
    tiles.set(tile, [...(tiles.get(tile) ?? []), item]);
  }
  return [...tiles].map(([tile, all]) => {
    const shares = all.map(cloudShare).filter((share) => share !== null);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const widest = all.reduce((a, b) => (width(b) > width(a) ? b : a));
    return {
      item: widest,
      properties: {
        tile,
        count: all.length,
        share: shares.length ? mean : null,
        far: zoomOfWidth(boxOf(widest.bbox), DOT_PX),
      },
    };
  });
}

/** @param {Item} item */
function width(item) {
  const [west, , east] = unwrapped(boxOf(item.bbox));
  return east - west;
}

/** @param {any} properties @param {any} geometry */
const featureOf = (properties, geometry) => ({ type: "Feature", properties, geometry });

/**
 * Put the layers of footprints on a map that has loaded.
 *
 * @param {MapView} map
 * @param {() => "light" | "dark"} theme
 */
export function addFootprints(map, theme) {
  /** @type {Item[]} */
  let shown = [];
  for (const id of ["areas", "footprints", "dots", "selected"]) {
    map.addSource(id, { type: "geojson", data: NOTHING });
  }
  // Below the names of countries, whose letters stay readable.
  const below = "countries";
  map.addLayer(
    {
      id: "footprints-fill",
      type: "fill",
      source: "areas",
      paint: { "fill-color": COLOR, "fill-opacity": FILL, "fill-antialias": false },
    },
    below,
  );
  map.addLayer(
    {
      id: "footprints-line",
      type: "line",
      source: "footprints",
      paint: { "line-color": COLOR, "line-width": 1.2, "line-opacity": LINE },
    },
    below,
  );
  map.addLayer(
    {
      id: "footprints-hover",
      type: "line",
      source: "footprints",
      filter: ["==", ["get", "id"], ""],
      paint: { "line-color": groundOf(theme()).accent, "line-width": 2.5 },
    },
    below,
  );
  map.addLayer(
    {
      id: "selected-line",
      type: "line",
      source: "selected",
      paint: { "line-color": groundOf(theme()).accent, "line-width": 2 },
    },
    below,
  );
  map.addLayer({
    id: "dots",
    type: "circle",
    source: "dots",
    filter: ["<", ["zoom"], ["get", "far"]],
    paint: {
      "circle-color": COLOR,
      "circle-radius": 5,
      "circle-stroke-color": groundOf(theme()).land,
      "circle-stroke-width": 1.5,
    },
  });
  map.addLayer({
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
      "text-color": groundOf(theme()).label,
      "text-halo-color": groundOf(theme()).halo,
      "text-halo-width": 1.4,
    },
  });
  for (const layer of ["footprints-fill", "dots"]) {
    map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
  }

  /** @param {string} id @param {any} data */
  function setData(id, data) {
    /** @type {import("maplibre-gl").GeoJSONSource} */ (map.getSource(id)).setData(data);
  }

  return {
    /** @param {Item[]} items  Newest first. */
    show(items) {
      shown = items;
      const areas = areasOf(items);
      setData(
        "areas",
        collectionOf(areas.map(({ item, properties }) => featureOf(properties, item.geometry))),
      );
      setData(
        "footprints",
        collectionOf(
          items.map((item) => featureOf({ id: item.id, share: cloudShare(item) }, item.geometry)),
        ),
      );
      setData(
        "dots",
        collectionOf(
          areas.map(({ item, properties }) =>
            featureOf(properties, { type: "Point", coordinates: middleOf(item) }),
          ),
        ),
      );
    },

    /** @param {string | null} id */
    highlight(id) {
      map.setFilter("footprints-hover", ["==", ["get", "id"], id ?? ""]);
    },

    /** @param {Item | null} item */
    select(item) {
      const feature = item && { type: "Feature", properties: {}, geometry: item.geometry };
      setData("selected", feature ? collectionOf([feature]) : NOTHING);
      // Under a mask the colours of footprints would lie about its own.
      map.setPaintProperty("footprints-fill", "fill-opacity", item ? 0 : FILL);
      map.setPaintProperty("footprints-line", "line-opacity", item ? 0.35 : LINE);
      map.setLayoutProperty("tile-names", "visibility", item ? "none" : "visible");
    },

    /** Ids at a point of the screen, newest first. @param {import("maplibre-gl").Point} point */
    at(point) {
      const [dot] = map.queryRenderedFeatures(point, { layers: ["dots"] });
      if (dot) {
        const { tile } = dot.properties;
        return shown.filter((item) => (tileOf(item) || item.id) === tile).map(({ id }) => id);
      }
      const { lng, lat } = map.unproject(point);
      const place = /** @type {[number, number]} */ ([wrapped(lng), lat]);
      return shown.filter((item) => covers(item.geometry, place)).map((item) => item.id);
    },

    /** Take the colours of the theme. */
    paint() {
      const ground = groundOf(theme());
      map.setPaintProperty("footprints-hover", "line-color", ground.accent);
      map.setPaintProperty("selected-line", "line-color", ground.accent);
      map.setPaintProperty("dots", "circle-stroke-color", ground.land);
      map.setPaintProperty("tile-names", "text-color", ground.label);
      map.setPaintProperty("tile-names", "text-halo-color", ground.halo);
    },
  };
}
