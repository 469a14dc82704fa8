// Boxes and polygons on a globe whose maps end at the antimeridian.

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Geometry} Geometry */
/** @typedef {import("./types").Position} Position */

/** Bring a longitude to -180 to 180. @param {number} longitude */
export function wrapped(longitude) {
  if (longitude >= -180 && longitude <= 180) return longitude;
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/**
 * The box of a STAC bbox, which may hold heights.
 *
 * @param {number[]} bbox
 * @returns {Box}
 */
export function boxOf(bbox) {
  if (bbox.length === 6) return [bbox[0], bbox[1], bbox[3], bbox[4]];
  return [bbox[0], bbox[1], bbox[2], bbox[3]];
}

/**
 * The same box with its east to the right of its west, beyond 180 degrees if need be.
 *
 * @param {Box} box
 * @returns {Box}
 */
export function unwrapped([west, south, east, north]) {
  return [west, south, east < west ? east + 360 : east, north];
}

/**
 * The box around boxes: of all there are, the narrowest one.
 *
 * @param {Box[]} boxes
 * @returns {Box | null}
 */
export function boxAround(boxes) {
  if (!boxes.length) return null;
  const spans = boxes.map(unwrapped).sort((a, b) => a[0] - b[0]);
  const south = Math.min(...spans.map((span) => span[1]));
  const north = Math.max(...spans.map((span) => span[3]));
  // The widest stretch of longitude that no box covers is what to leave out.
  let reach = spans[0][2];
  let gap = spans[0][0] + 360 - Math.max(...spans.map((span) => span[2]));
  let [west, east] = [spans[0][0], Math.max(...spans.map((span) => span[2]))];
  for (const span of spans) {
    if (span[0] - reach > gap) {
      gap = span[0] - reach;
      [west, east] = [span[0], reach];
    }
    reach = Math.max(reach, span[2]);
  }
  if (gap <= 0) return [-180, south, 180, north];
  return [wrapped(west), south, wrapped(east), north];
}

/**
 * How a STAC search is told of what a map shows; its box may reach beyond 180 degrees.
 *
 * @param {Box} box
 * @returns {{ bbox?: Box, intersects?: Geometry }}  Empty where the whole globe is in view.
 */
export function searchArea([west, south, east, north]) {
  if (east - west >= 360) return {};
  const [low, high] = [Math.max(-90, south), Math.min(90, north)];
  const [left, right] = [wrapped(west), wrapped(east)];
  if (left <= right) return { bbox: [left, low, right, high] };
  return {
    intersects: {
      type: "MultiPolygon",
      coordinates: [[ring([left, low, 180, high])], [ring([-180, low, right, high])]],
    },
  };
}

/** @param {Box} box @returns {Position[]} */
function ring([west, south, east, north]) {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

/** @param {Geometry} geometry @returns {Position[][][]} */
function polygonsOf(geometry) {
  return geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
}

/** @param {Position} position @param {Position[]} line */
function insideRing([x, y], line) {
  let inside = false;
  for (let i = 1; i < line.length; i += 1) {
    const [[ax, ay], [bx, by]] = [line[i - 1], line[i]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/**
 * Tell whether a footprint covers a place.
 *
 * @param {Geometry} geometry
 * @param {Position} position
 */
export function covers(geometry, position) {
  return polygonsOf(geometry).some(
    ([outer, ...holes]) =>
      insideRing(position, outer) && !holes.some((hole) => insideRing(position, hole)),
  );
}

/**
 * Zoom below which a box is narrower than some pixels on a map of 512 px tiles.
 *
 * @param {Box} box
 * @param {number} width_px
 */
export function zoomOfWidth(box, width_px) {
  const [west, , east] = unwrapped(box);
  return Math.log2((width_px * 360) / (512 * Math.max(east - west, 1e-6)));
}
