// Footprints of a Collection, as vector tiles: what they show, and what is found in them.

import { FILL, FOOTPRINTS, LINE, NOTHING, NO_FILL, OF_TILES, tilesSource } from "./footprint-style.js";
import { areasOf, pileOf } from "./gathering.js";
import { groundOf } from "./palette.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Position} Position */

/** @param {any} properties @param {any} geometry */
const featureOf = (properties, geometry) => ({ type: "Feature", properties, geometry });

/** @param {any[]} features */
const collectionOf = (features) => ({
  type: /** @type {const} */ ("FeatureCollection"),
  features,
});

/**
 * Bring footprints to life whose layers are on a map that has loaded.
 *
 * @param {MapView} map
 * @param {() => "light" | "dark"} theme
 * @param {string | null} template  Address of the vector tiles that the map began with.
 */
export function createFootprints(map, theme, template) {
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
    if (!template || !map.isSourceLoaded(FOOTPRINTS)) return;
    const features = map.querySourceFeatures(FOOTPRINTS, { sourceLayer: FOOTPRINTS });
    const areas = areasOf(features);
    const key = JSON.stringify(areas);
    if (key === gathered) return;
    gathered = key;
    map.removeFeatureState({ source: FOOTPRINTS, sourceLayer: FOOTPRINTS });
    for (const { id, share } of areas) {
      map.setFeatureState({ source: FOOTPRINTS, sourceLayer: FOOTPRINTS, id }, { top: true, share });
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
    if (sourceId !== FOOTPRINTS || !tile) return;
    // The first map is there with its dots, not before.
    if (!gathered && map.isSourceLoaded(FOOTPRINTS)) gather();
    else gatherSoon();
  });

  /** A source that nothing shows asks for no tiles. @param {"visible" | "none"} visibility */
  function setVisibility(visibility) {
    for (const layer of OF_TILES) map.setLayoutProperty(layer, "visibility", visibility);
  }

  return {
    /** Ask again for tiles that did not come. */
    retry() {
      // A source whose tiles failed may wait for ever for those that it is told to ask for again.
      const layers = map.getStyle().layers.filter(({ id }) => OF_TILES.includes(id));
      for (const id of OF_TILES) map.removeLayer(id);
      map.removeSource(FOOTPRINTS);
      gathered = "";
      map.addSource(FOOTPRINTS, tilesSource(template));
      for (const layer of layers) map.addLayer(layer, "selected-line");
    },

    /** @param {string | null} next  Address of the vector tiles. */
    show(next) {
      if (next === template) return;
      template = next;
      gathered = "";
      if (template) {
        const source = /** @type {import("maplibre-gl").VectorTileSource} */ (
          map.getSource(FOOTPRINTS)
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
