// Polygons out of KML.

import { geometryOf } from "./encoding.js";
import { AreaError } from "./errors.js";
import { ringOf } from "./geojson.js";

/** @typedef {import("./geojson.js").Field} Field */
/** @typedef {import("../types").Position} Position */

/** @param {Element | Document} element @param {string} name */
const all = (element, name) => [...element.getElementsByTagNameNS("*", name)];

/** Corners of `longitude,latitude,height`, parted by blanks. @param {Element} boundary */
function ring(boundary) {
  const text = all(boundary, "coordinates")[0]?.textContent ?? "";
  return ringOf(text.trim().split(/\s+/).map((corner) => corner.split(",").map(Number)));
}

/** @param {Element} polygon @returns {Position[][]} */
function rings(polygon) {
  const [outer] = all(polygon, "outerBoundaryIs");
  if (!outer) throw new AreaError("A polygon of the file has no outer boundary.");
  // Several holes may share one element, or have one each.
  const holes = all(polygon, "innerBoundaryIs").flatMap((inner) => all(inner, "LinearRing"));
  return [ring(outer), ...holes.map(ring)];
}

/**
 * Every placemark that has polygons.
 *
 * @param {string} text
 * @returns {Field[]}
 * @throws {AreaError}
 */
export function fieldsOfKml(text) {
  const kml = new DOMParser().parseFromString(text, "application/xml");
  if (kml.querySelector("parsererror")) throw new AreaError("The file is no KML that can be read.");
  return all(kml, "Placemark").flatMap((placemark) => {
    const polygons = all(placemark, "Polygon").map(rings);
    const name = all(placemark, "name")[0]?.textContent?.trim() ?? "";
    return polygons.length ? [{ name, geometry: geometryOf(polygons) }] : [];
  });
}
