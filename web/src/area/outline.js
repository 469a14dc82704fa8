// The polygon on the map: its outline, its corners to be dragged, and the draft of a new one.

import { groundOf } from "../palette.js";
import { polygonsOf } from "./encoding.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Position} Position */

/** Corners of larger polygons are too close to be told apart by a finger. */
const MOST_HANDLES = 80;
const NOTHING = { type: /** @type {const} */ ("FeatureCollection"), features: [] };

/** @param {any} geometry @param {any} [properties] */
const feature = (geometry, properties = {}) => ({ type: "Feature", properties, geometry });

/**
 * Put the polygon's layers on a map that has loaded.
 *
 * @param {MapView} map
 * @param {() => "light" | "dark"} theme
 * @param {(geometry: Geometry) => void} moved  A corner was dragged.
 */
export function addOutline(map, theme, moved) {
  /** @type {Geometry | null} */
  let shown = null;
  let editable = false;

  for (const id of ["field", "field-corners", "draft"]) {
    map.addSource(id, { type: "geojson", data: NOTHING });
  }
  const round = /** @type {const} */ ({ "line-join": "round", "line-cap": "round" });
  map.addLayer({ id: "draft-fill", type: "fill", source: "draft", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-opacity": 0.15 } });
  for (const source of ["field", "draft"]) {
    // Light under dark, to be seen on any mask.
    map.addLayer({ id: `${source}-halo`, type: "line", source, layout: round, paint: { "line-color": "#ffffff", "line-width": 5, "line-opacity": 0.85 } });
    map.addLayer({ id: `${source}-line`, type: "line", source, layout: round, paint: { "line-width": 2.2 } });
  }
  map.addLayer({ id: "corners", type: "circle", source: "field-corners", paint: { "circle-radius": 5, "circle-color": "#ffffff", "circle-stroke-width": 2 } });
  map.addLayer({ id: "draft-corners", type: "circle", source: "draft", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 5.5, "circle-color": "#ffffff", "circle-stroke-width": 2.2 } });

  /** @param {string} id @param {any[]} features */
  function setData(id, features) {
    const source = /** @type {import("maplibre-gl").GeoJSONSource} */ (map.getSource(id));
    source.setData(/** @type {any} */ ({ type: "FeatureCollection", features }));
  }

  /** @param {Geometry | null} geometry */
  function put(geometry) {
    setData("field", geometry ? [feature(geometry)] : []);
    const corners = geometry
      ? polygonsOf(geometry).flatMap((rings, polygon) =>
          rings.flatMap((ring, at) =>
            ring.slice(0, -1).map((coordinates, corner) =>
              feature({ type: "Point", coordinates }, { polygon, ring: at, corner }),
            ),
          ),
        )
      : [];
    setData("field-corners", editable && corners.length <= MOST_HANDLES ? corners : []);
  }

  /**
   * The same geometry with one corner elsewhere.
   *
   * @param {any} place @param {Position} to @returns {Geometry}
   */
  function withCorner({ polygon, ring, corner }, to) {
    const copy = structuredClone(/** @type {Geometry} */ (shown));
    const line = polygonsOf(copy)[polygon][ring];
    line[corner] = to;
    if (corner === 0) line[line.length - 1] = to;
    return copy;
  }

  /** @param {import("maplibre-gl").MapLayerMouseEvent | import("maplibre-gl").MapLayerTouchEvent} event */
  function grab(event) {
    const place = event.features?.[0]?.properties;
    if (!place || !shown) return;
    event.preventDefault();
    /** @type {Geometry | null} */
    let changed = null;
    /** @param {import("maplibre-gl").MapMouseEvent | import("maplibre-gl").MapTouchEvent} to */
    const drag = ({ lngLat }) => {
      changed = withCorner(place, [lngLat.lng, lngLat.lat]);
      put(changed);
    };
    const drop = () => {
      map.off("mousemove", drag);
      map.off("touchmove", drag);
      if (changed) moved(changed);
    };
    map.on("mousemove", drag);
    map.on("touchmove", drag);
    map.once("mouseup", drop);
    map.once("touchend", drop);
  }
  map.on("mousedown", "corners", grab);
  map.on("touchstart", "corners", grab);
  map.on("mouseenter", "corners", () => (map.getCanvas().style.cursor = "move"));
  map.on("mouseleave", "corners", () => (map.getCanvas().style.cursor = ""));

  function paint() {
    const { accent } = groundOf(theme());
    for (const id of ["field-line", "draft-line"]) map.setPaintProperty(id, "line-color", accent);
    for (const id of ["corners", "draft-corners"]) {
      map.setPaintProperty(id, "circle-stroke-color", accent);
    }
    map.setPaintProperty("draft-fill", "fill-color", accent);
  }
  paint();

  return {
    paint,

    /** @param {Geometry | null} geometry @param {{ editable?: boolean }} [options] */
    show(geometry, options = {}) {
      [shown, editable] = [geometry, options.editable ?? false];
      put(geometry);
    },

    /** Corners so far, and where the pointer would put the next one. @param {Position[]} corners @param {Position | null} next */
    draft(corners, next) {
      const line = next ? [...corners, next] : corners;
      const ring = [...line, line[0]];
      const shapes = [];
      if (line.length > 2) shapes.push(feature({ type: "Polygon", coordinates: [ring] }));
      else if (line.length === 2) shapes.push(feature({ type: "LineString", coordinates: line }));
      const points = corners.map((coordinates) => feature({ type: "Point", coordinates }));
      setData("draft", [...shapes, ...points]);
    },
  };
}
