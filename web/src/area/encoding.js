// Polygons as text that an address can hold, and that reads back to the same polygon.
//
// Steps from corner to corner, in millionths of a degree (a tenth of a metre), sign in the lowest
// bit, five bits a letter: a field of four corners takes about forty letters. Rings are parted by
// a dot, polygons by a tilde.

/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Position} Position */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Map([...LETTERS].map((letter, value) => [letter, value]));
const UNIT = 1e6;
const MORE = 32;
/** Fewest corners of a ring, the first not told twice. */
const FEWEST = 3;

/** Arithmetic, for steps of whole degrees do not fit into 32 bits. @param {number} value */
function encodeNumber(value) {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  let text = "";
  while (rest >= MORE) {
    text += LETTERS[(rest % MORE) + MORE];
    rest = Math.floor(rest / MORE);
  }
  return text + LETTERS[rest];
}

/** @param {string} text @returns {number[] | null} */
function decodeNumbers(text) {
  const numbers = [];
  let [value, scale] = [0, 1];
  for (const letter of text) {
    const bits = VALUES.get(letter);
    if (bits === undefined) return null;
    value += (bits % MORE) * scale;
    scale *= MORE;
    if (bits >= MORE) continue;
    numbers.push(value % 2 ? -(value + 1) / 2 : value / 2);
    [value, scale] = [0, 1];
  }
  return scale === 1 ? numbers : null;
}

/** @param {Position[]} ring */
function encodeRing(ring) {
  let [x, y] = [0, 0];
  let text = "";
  const corners = ring.map(([longitude, latitude]) => [
    Math.round(longitude * UNIT),
    Math.round(latitude * UNIT),
  ]);
  for (const [nextX, nextY] of corners.slice(0, -1)) {
    text += encodeNumber(nextX - x) + encodeNumber(nextY - y);
    [x, y] = [nextX, nextY];
  }
  return text;
}

/** @param {string} text @returns {Position[] | null} */
function decodeRing(text) {
  const steps = decodeNumbers(text);
  if (!steps || steps.length % 2 || steps.length < FEWEST * 2) return null;
  let [x, y] = [0, 0];
  /** @type {Position[]} */
  const ring = [];
  for (let at = 0; at < steps.length; at += 2) {
    [x, y] = [x + steps[at], y + steps[at + 1]];
    if (Math.abs(x) > 360 * UNIT || Math.abs(y) > 90 * UNIT) return null;
    ring.push([x / UNIT, y / UNIT]);
  }
  return [...ring, ring[0]];
}

/** @param {Geometry} geometry @returns {Position[][][]} */
export function polygonsOf({ type, coordinates }) {
  return type === "Polygon" ? [coordinates] : coordinates;
}

/**
 * A geometry of some polygons.
 *
 * @param {Position[][][]} polygons  At least one.
 * @returns {Geometry}
 */
export function geometryOf(polygons) {
  return polygons.length === 1
    ? { type: "Polygon", coordinates: polygons[0] }
    : { type: "MultiPolygon", coordinates: polygons };
}

/** @param {Geometry} geometry */
export function encodeArea(geometry) {
  return polygonsOf(geometry)
    .map((rings) => rings.map(encodeRing).join("."))
    .join("~");
}

/**
 * @param {string} text
 * @returns {Geometry | null}  Null where the text is no polygon.
 */
export function decodeArea(text) {
  const polygons = text.split("~").map((rings) => rings.split(".").map(decodeRing));
  if (polygons.some((rings) => rings.includes(null))) return null;
  return geometryOf(/** @type {Position[][][]} */ (polygons));
}
