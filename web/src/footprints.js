// Footprints of a Collection, as vector tiles: polygons near, dots far away, names of tiles between.

import { areasOf, pileOf } from "./gathering.js";
import { cloudStops, groundOf } from "./palette.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Position} Position */

const SOURCE = "footprints";
/** A layer of the tiles bears the same name. */
const LAYER = { source: SOURCE, "source-layer": SOURCE };
/** Deeper tiles would say the same more finely than anyone sees. */
const MAX_ZOOM = 9;
const LAYERS = ["footprints-fill", "footprints-line", "footprints-hover"];
const NOTHING = { type: /** @type {const} */ ("FeatureCollection"), features: [] };
const LINE = 0.8;
/** @param {number} far @param {number} near  Opacity. @returns {any} */
const fill = (far, near) => [
  "interpolate",
  ["linear"],
  ["zoom"],
  7.6,
  ["case", ["boolean", ["feature-state", "top"], false], far, 0],
  8.2,
  ["case", ["boolean", ["feature-state", "top"], false], near, 0],
];
/** Near enough to see masks, the colours of footprints would lie about theirs. */
const FILL = fill(0.55, 0.02);
/** An expression like it: where one turns into a plain number, MapLibre fails at tiles on the way. */
const NO_FILL = fill(0, 0);

/** @param {any} share  Expression of a share of cloud, 0 to 1, or null. @returns {any} */
const colorBy = (share) => [
  "case",
  ["==", share, null],
  "rgb(150, 150, 150)",
  ["interpolate", ["linear"], share, ...cloudStops().flatMap((stop) => [stop.share, stop.color])],
];

/** @param {any} properties @param {any} geometry */
const featureOf = (properties, geometry) => ({ type: "Feature", properties, geometry });

/** @param {any[]} features */
const collectionOf = (features) => ({
  type: /** @type {const} */ ("FeatureCollection"),
  features,
});

/**
 * Put the layers of footprints on a map that has loaded.
 *
 * @param {MapView} map
 * @param {() => "light" | "dark"} theme
 */
export function addFootprints(map, theme) {
  /** @type {string | null} */
  let template = null;

  function addSource() {
    map.addSource(SOURCE, {
      type: "vector",
      tiles: template ? [template] : [],
      maxzoom: MAX_ZOOM,
      promoteId: { [SOURCE]: "id" },
    });
  }

  addSource();
  for (const id of ["dots", "selected"]) map.addSource(id, { type: "geojson", data: NOTHING });
  // Below the names of countries, whose letters stay readable.
  const below = "countries";
  map.addLayer(
    {
      id: "footprints-fill",
      type: "fill",
      ...LAYER,
      paint: {
        "fill-color": colorBy(["feature-state", "share"]),
        "fill-opacity": FILL,
        "fill-antialias": false,
      },
    },
    below,
  );
  map.addLayer(
    {
      id: "footprints-line",
      type: "line",
      ...LAYER,
      paint: {
        "line-color": colorBy(["/", ["coalesce", ["get", "mean_cloud_cover"], ["get", "cloud_cover"]], 100]),
        "line-width": 1.2,
        "line-opacity": LINE,
      },
    },
    below,
  );
  map.addLayer(
    {
      id: "footprints-hover",
      type: "line",
      ...LAYER,
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
      "circle-color": colorBy(["get", "share"]),
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
  /** Whether the pointer is looked at with the next frame. */
  let isDue = false;
  let isOver = false;
  map.on("mousemove", ({ point }) => {
    if (isDue) return;
    isDue = true;
    // What lies under a pointer is not asked more often than a screen shows it.
    requestAnimationFrame(() => {
      isDue = false;
      if (map.isMoving()) return;
      const [feature] = map.queryRenderedFeatures(point, { layers: ["dots", "footprints-fill"] });
      if (isOver === Boolean(feature)) return;
      isOver = Boolean(feature);
      // Only when it changes: who draws on the map has a pointer of their own.
      map.getCanvas().style.cursor = isOver ? "pointer" : "";
    });
  });

  /** @param {string} id @param {any} data */
  function setData(id, data) {
    /** @type {import("maplibre-gl").GeoJSONSource} */ (map.getSource(id)).setData(data);
  }

  /** What was put together last. */
  let gathered = "";
  function gather() {
    if (!template || !map.isSourceLoaded(SOURCE)) return;
    const features = map.querySourceFeatures(SOURCE, { sourceLayer: SOURCE });
    const areas = areasOf(features);
    const key = JSON.stringify(areas);
    if (key === gathered) return;
    gathered = key;
    map.removeFeatureState({ source: SOURCE, sourceLayer: SOURCE });
    for (const { id, share } of areas) {
      map.setFeatureState({ source: SOURCE, sourceLayer: SOURCE, id }, { top: true, share });
    }
    setData(
      "dots",
      collectionOf(
        areas.map(({ middle, ...area }) =>
          featureOf(area, { type: "Point", coordinates: middle }),
        ),
      ),
    );
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  function gatherSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(gather, 60);
  }
  map.on("moveend", gatherSoon);
  map.on("sourcedata", (event) => {
    // States of features change the data, too, and must not begin it all again.
    const { sourceId, tile } = /** @type {{ sourceId: string, tile?: unknown }} */ (event);
    if (sourceId === SOURCE && tile) gatherSoon();
  });

  /** A source that nothing shows asks for no tiles. @param {"visible" | "none"} visibility */
  function setVisibility(visibility) {
    for (const layer of LAYERS) map.setLayoutProperty(layer, "visibility", visibility);
  }

  setVisibility("none");

  return {
    /** Ask again for tiles that did not come. */
    retry() {
      // A source whose tiles failed may wait for ever for those that it is told to ask for again.
      const layers = map.getStyle().layers.filter(({ id }) => LAYERS.includes(id));
      for (const id of LAYERS) map.removeLayer(id);
      map.removeSource(SOURCE);
      gathered = "";
      addSource();
      for (const layer of layers) map.addLayer(layer, below);
    },

    /** @param {string | null} next  Address of the vector tiles. */
    show(next) {
      if (next === template) return;
      template = next;
      gathered = "";
      if (template) {
        const source = /** @type {import("maplibre-gl").VectorTileSource} */ (
          map.getSource(SOURCE)
        );
        source.setTiles([template]);
      }
      setVisibility(next ? "visible" : "none");
      if (!next) setData("dots", NOTHING);
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
      map.setPaintProperty("footprints-fill", "fill-opacity", item ? NO_FILL : FILL);
      map.setPaintProperty("footprints-line", "line-opacity", item ? 0.35 : LINE);
      map.setLayoutProperty("tile-names", "visibility", item ? "none" : "visible");
    },

    /**
     * What is drawn at a point of the screen: how many products, and a place that all cover.
     *
     * @param {import("maplibre-gl").Point} point
     * @returns {{ count: number, newest: string | null, place: Position }}
     */
    at(point) {
      const { lng, lat } = map.unproject(point);
      const [dot] = map.queryRenderedFeatures(point, { layers: ["dots"] });
      if (dot) {
        const { longitude, latitude, count, newest } = dot.properties;
        return { count, newest, place: [longitude, latitude] };
      }
      const drawn = map.queryRenderedFeatures(point, { layers: ["footprints-fill"] });
      return { ...pileOf(drawn), place: [lng, lat] };
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
