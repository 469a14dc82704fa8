// Polygons out of GeoJSON, whatever is wrapped around them.

import { AreaError } from "./errors.js";
import { geometryOf } from "./encoding.js";

/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Position} Position */

/** @typedef {{ name: string, geometry: Geometry }} Field  One polygon that a file has. */

const NAMES = ["name", "Name", "NAME", "title", "label", "id", "fid", "FIELD_ID"];

/** Coordinates that are degrees, as RFC 7946 has them. @param {string | undefined} name */
const isDegrees = (name) => !name || /CRS84|4326$/.test(name);

/** @param {unknown} value @returns {Position} */
function position(value) {
  if (!Array.isArray(value) || !value.slice(0, 2).every(Number.isFinite) || value.length < 2) {
    throw new AreaError("A corner of the polygon is not a longitude and a latitude.");
  }
  const [x, y] = value;
  if (Math.abs(x) > 360 || Math.abs(y) > 90) {
    throw new AreaError(
      "The coordinates are not degrees. Save the layer in EPSG:4326 (WGS 84), or as a GeoPackage.",
    );
  }
  return [x, y];
}

/** Closed, and with corners enough. @param {unknown} value @returns {Position[]} */
export function ringOf(value) {
  const ring = Array.isArray(value) ? value.map(position) : [];
  const [first, last] = [ring[0], ring.at(-1)];
  if (first && last && (first[0] !== last[0] || first[1] !== last[1])) ring.push(first);
  if (ring.length < 4) throw new AreaError("A polygon has three corners at least.");
  return ring;
}

/** @param {unknown} value @returns {Position[][]} */
function ringsOf(value) {
  if (!Array.isArray(value) || !value.length) throw new AreaError("A polygon has no corners.");
  return value.map(ringOf);
}

/** @param {any} geometry @returns {Position[][][]} */
function polygonsIn(geometry) {
  switch (geometry?.type) {
    case "Polygon":
      return [ringsOf(geometry.coordinates)];
    case "MultiPolygon":
      return (geometry.coordinates ?? []).map(ringsOf);
    case "GeometryCollection":
      return (geometry.geometries ?? []).flatMap(polygonsIn);
    default:
      return [];
  }
}

/** @param {any} feature */
function nameOf(feature) {
  const own = { id: feature.id, ...feature.properties };
  const key = NAMES.find((name) => ["string", "number"].includes(typeof own[name]));
  return key ? String(own[key]) : "";
}

/**
 * Every feature of GeoJSON that is a polygon.
 *
 * @param {any} json
 * @returns {Field[]}
 * @throws {AreaError}
 */
export function fieldsOfGeoJson(json) {
  if (!isDegrees(json?.crs?.properties?.name)) {
    throw new AreaError(
      `The file is in ${json.crs.properties.name}. Save the layer in EPSG:4326, or as a GeoPackage.`,
    );
  }
  const features =
    json?.type === "FeatureCollection" ? (json.features ?? []) : [json?.type ? json : {}];
  return features.flatMap((/** @type {any} */ feature) => {
    const polygons = polygonsIn(feature.type === "Feature" ? feature.geometry : feature);
    return polygons.length ? [{ name: nameOf(feature), geometry: geometryOf(polygons) }] : [];
  });
}
