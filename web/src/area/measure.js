// Size and place of polygons.

import { boxAround, wrapped } from "../geometry.js";
import { polygonsOf } from "./encoding.js";

/** @typedef {import("../types").Box} Box */
/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Position} Position */

/** Of the sphere that has the surface of the WGS84 ellipsoid, and the ellipsoid's eccentricity. */
const RADIUS_KM = 6371.00718;
const E = 0.0818191908426;
const RAD = Math.PI / 180;

/** Snyder, Map Projections (USGS 1395), equation 3-12. @param {number} sine  Of a latitude. */
const q = (sine) =>
  (1 - E * E) *
  (sine / (1 - (E * sine) ** 2) - Math.log((1 - E * sine) / (1 + E * sine)) / (2 * E));

/** Sine of the latitude below which a sphere has as much surface. @param {number} latitude */
const authalicSine = (latitude) => q(Math.sin(latitude * RAD)) / q(1);

/** Area between the meridians of a ring, positive whichever way it turns. @param {Position[]} ring */
function ringKm2(ring) {
  let sum = 0;
  for (let i = 1; i < ring.length; i += 1) {
    const [[ax, ay], [bx, by]] = [ring[i - 1], ring[i]];
    // An edge across the antimeridian goes the short way.
    const step = ((bx - ax + 540) % 360) - 180;
    sum += step * RAD * (2 + authalicSine(ay) + authalicSine(by));
  }
  return Math.abs((sum * RADIUS_KM * RADIUS_KM) / 2);
}

/**
 * Area on the ellipsoid.
 *
 * @param {Geometry} geometry
 */
export function areaKm2(geometry) {
  let sum = 0;
  for (const [outer, ...holes] of polygonsOf(geometry)) {
    sum += ringKm2(outer) - holes.reduce((all, hole) => all + ringKm2(hole), 0);
  }
  return sum;
}

/** Corners, none told twice. @param {Geometry} geometry */
export function cornerCount(geometry) {
  return polygonsOf(geometry).flat().reduce((sum, ring) => sum + ring.length - 1, 0);
}

/**
 * The box around a geometry; its west is greater than its east across the antimeridian.
 *
 * @param {Geometry} geometry
 * @returns {Box}
 */
export function boxOfArea(geometry) {
  const boxes = polygonsOf(geometry).map(([outer]) => {
    let x = outer[0][0];
    const xs = outer.map(([longitude]) => (x += ((longitude - x + 540) % 360) - 180));
    const ys = outer.map(([, latitude]) => latitude);
    return /** @type {Box} */ ([
      wrapped(Math.min(...xs)),
      Math.min(...ys),
      wrapped(Math.max(...xs)),
      Math.max(...ys),
    ]);
  });
  return boxAround(boxes) ?? [-180, -90, 180, 90];
}

/** @param {number} km2 */
export function areaWords(km2) {
  if (km2 < 0.01) return `${Math.round(km2 * 1e6).toLocaleString("en")} m²`;
  if (km2 < 10) return `${Number((km2 * 100).toPrecision(3)).toLocaleString("en")} ha`;
  return `${Number(km2.toPrecision(3)).toLocaleString("en")} km²`;
}
