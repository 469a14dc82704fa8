import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeArea, encodeArea } from "../src/area/encoding.js";
import { AreaError } from "../src/area/errors.js";
import { together } from "../src/area/files.js";
import { fieldsOfGeoJson } from "../src/area/geojson.js";
import { areaNamed, isOnlyHere, keepArea, MOST_LETTERS } from "../src/area/keeping.js";
import { areaKm2, areaWords, boxOfArea, cornerCount } from "../src/area/measure.js";
import { polygonsOfBlob } from "../src/area/wkb.js";

/** @typedef {import("../src/types").Geometry} Geometry */
/** @typedef {import("../src/types").Position} Position */

/** @param {number} west @param {number} south @param {number} [size] @returns {Position[]} */
const square = (west, south, size = 0.01) => [
  [west, south],
  [west + size, south],
  [west + size, south + size],
  [west, south + size],
  [west, south],
];

/** @type {Geometry} */
const FIELD = { type: "Polygon", coordinates: [square(13.012345, 52.41)] };

/** A polygon of many corners. @param {number} corners @returns {Geometry} */
function round(corners) {
  /** @type {Position[]} */
  const ring = Array.from({ length: corners }, (_, at) => {
    const angle = (2 * Math.PI * at) / corners;
    return [13 + Math.cos(angle), 52 + Math.sin(angle)];
  });
  return { type: "Polygon", coordinates: [[...ring, ring[0]]] };
}

/** Storage as a window has it. @returns {Storage} */
function storage() {
  const kept = new Map();
  return /** @type {any} */ ({
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
  });
}

/** @param {Geometry} geometry */
const rounded = (geometry) =>
  JSON.parse(JSON.stringify(geometry), (_, value) =>
    typeof value === "number" ? Math.round(value * 1e6) / 1e6 : value,
  );

test("a polygon comes back from its text to a tenth of a metre", () => {
  assert.deepEqual(decodeArea(encodeArea(FIELD)), rounded(FIELD));
  assert.ok(encodeArea(FIELD).length < 45);
});

test("holes, several polygons, and corners anywhere on Earth survive", () => {
  /** @type {Geometry} */
  const geometry = {
    type: "MultiPolygon",
    coordinates: [
      [square(-179.999999, -89.9, 2), square(-179, -89, 0.1)],
      [square(179.5, 60, 1)],
    ],
  };
  assert.deepEqual(decodeArea(encodeArea(geometry)), rounded(geometry));
});

test("random polygons survive", () => {
  for (let turn = 0; turn < 200; turn += 1) {
    /** @type {Position[]} */
    const ring = Array.from({ length: 3 + (turn % 9) }, () => [
      Math.random() * 360 - 180,
      Math.random() * 180 - 90,
    ]);
    /** @type {Geometry} */
    const geometry = { type: "Polygon", coordinates: [[...ring, ring[0]]] };
    assert.deepEqual(decodeArea(encodeArea(geometry)), rounded(geometry));
  }
});

test("text that is no polygon is none", () => {
  const whole = encodeArea(FIELD);
  for (const text of ["", "A", "AAAA", "~", whole.slice(0, -1), `${whole}.`, "g", "99999999999A9A9A9A"]) {
    assert.equal(decodeArea(text), null, text);
  }
});

test("an address holds a field, and the window what is too long for one", () => {
  const window = storage();
  assert.equal(keepArea(FIELD, window), encodeArea(FIELD));
  const large = round(2000);
  const name = keepArea(large, window);
  assert.ok(isOnlyHere(name) && name.length < 20);
  assert.deepEqual(areaNamed(name, window), rounded(large));
  assert.equal(areaNamed(name, storage()), null);
  assert.ok(encodeArea(round(150)).length < MOST_LETTERS);
});

test("areas are those of the ellipsoid, whichever way a ring turns", () => {
  // By GeographicLib, of a ring with many points along each parallel.
  const expected = 7556.735896;
  /** @param {Position[]} ring @returns {Geometry} */
  const of = (ring) => ({ type: "Polygon", coordinates: [ring] });
  assert.ok(Math.abs(areaKm2(of(square(13, 52, 1))) / expected - 1) < 1e-8);
  assert.ok(Math.abs(areaKm2(of(square(13, 52, 1).reverse())) / expected - 1) < 1e-8);
  const across = square(179.5, 52, 1).map(([x, y]) => /** @type {Position} */ ([x > 180 ? x - 360 : x, y]));
  assert.ok(Math.abs(areaKm2(of(across)) / expected - 1) < 1e-8);
  assert.deepEqual(boxOfArea(of(across)), [179.5, 52, -179.5, 53]);
});

test("a hole is no area, and corners are told once", () => {
  /** @type {Geometry} */
  const holed = { type: "Polygon", coordinates: [square(0, 0, 1), square(0.25, 0.25, 0.5)] };
  const whole = areaKm2({ type: "Polygon", coordinates: [square(0, 0, 1)] });
  assert.ok(Math.abs(areaKm2(holed) / whole - 0.75) < 1e-4);
  assert.equal(cornerCount(holed), 8);
});

test("areas are written for people", () => {
  assert.deepEqual([0.0025, 0.2, 3.541, 12056].map(areaWords), ["2,500 m²", "20 ha", "354 ha", "12,100 km²"]);
});

test("polygons are found in GeoJSON of every kind, by their names", () => {
  const feature = { type: "Feature", properties: { crop: "rye", name: "North" }, geometry: FIELD };
  assert.deepEqual(fieldsOfGeoJson(feature), [{ name: "North", geometry: FIELD }]);
  assert.deepEqual(fieldsOfGeoJson(FIELD), [{ name: "", geometry: FIELD }]);
  const point = { type: "Feature", properties: null, geometry: { type: "Point", coordinates: [1, 2] } };
  const empty = { type: "Feature", properties: null, geometry: null };
  const all = { type: "FeatureCollection", features: [point, feature, empty, { ...feature, id: 7, properties: null }] };
  assert.deepEqual(fieldsOfGeoJson(all).map(({ name }) => name), ["North", "7"]);
  const mixed = { type: "GeometryCollection", geometries: [point.geometry, FIELD] };
  assert.deepEqual(fieldsOfGeoJson(mixed)[0].geometry, FIELD);
});

test("heights are dropped, and an open ring is closed", () => {
  const open = { type: "Polygon", coordinates: [[[1, 1, 300], [2, 1, 300], [2, 2, 300]]] };
  const [{ geometry }] = fieldsOfGeoJson(open);
  assert.deepEqual(geometry.coordinates, [[[1, 1], [2, 1], [2, 2], [1, 1]]]);
});

test("GeoJSON that is in metres, or no polygon, is told in words", () => {
  const metres = { type: "Polygon", coordinates: [[[399960, 5900040], [1, 2], [3, 4]]] };
  assert.throws(() => fieldsOfGeoJson(metres), /not degrees.*EPSG:4326/);
  const named = { ...FIELD, crs: { properties: { name: "urn:ogc:def:crs:EPSG::25832" } } };
  assert.throws(() => fieldsOfGeoJson(named), /25832/);
  assert.throws(() => fieldsOfGeoJson({ type: "Polygon", coordinates: [[[1, 1], [2, 2]]] }), AreaError);
  for (const nothing of [null, 7, [], {}, { type: "FeatureCollection" }]) {
    assert.deepEqual(fieldsOfGeoJson(nothing), []);
  }
});

test("several fields together are one geometry", () => {
  const fields = [square(1, 1), square(2, 2)].map((ring) => ({
    name: "",
    geometry: /** @type {Geometry} */ ({ type: "Polygon", coordinates: [ring] }),
  }));
  assert.equal(together(fields).type, "MultiPolygon");
  assert.equal(together(fields.slice(1)).type, "Polygon");
});

/**
 * A geometry column's value, written by the letter of the standard.
 *
 * @param {{ type: number, envelope?: number, little?: boolean, points: number[][], dimensions?: number }} of
 */
function blob({ type, envelope = 0, little = true, points, dimensions = 2 }) {
  const bytes = new Uint8Array(8 + [0, 32, 48, 48, 64][envelope] + 13 + points.length * dimensions * 8);
  const view = new DataView(bytes.buffer);
  bytes.set([0x47, 0x50, 0, (envelope << 1) | 1]);
  let at = 8 + [0, 32, 48, 48, 64][envelope];
  bytes[at] = little ? 1 : 0;
  for (const value of [type, 1, points.length]) {
    view.setUint32(at + 1, value, little);
    at += 4;
  }
  at += 1;
  for (const value of points.flat()) {
    view.setFloat64(at, value, little);
    at += 8;
  }
  return bytes;
}

test("a GeoPackage's geometries are read in either byte order, with heights and envelopes", () => {
  const flat = square(1, 2, 1);
  const high = flat.map((point) => [...point, 100]);
  assert.deepEqual(polygonsOfBlob(blob({ type: 3, points: flat })), [[flat]]);
  assert.deepEqual(polygonsOfBlob(blob({ type: 3, points: flat, little: false })), [[flat]]);
  assert.deepEqual(polygonsOfBlob(blob({ type: 3, points: flat, envelope: 1 })), [[flat]]);
  assert.deepEqual(polygonsOfBlob(blob({ type: 1003, points: high, dimensions: 3 })), [[flat]]);
  assert.deepEqual(polygonsOfBlob(blob({ type: 0x80000003, points: high, dimensions: 3 })), [[flat]]);
  assert.deepEqual(polygonsOfBlob(blob({ type: 1, points: flat })), []);
});

test("a damaged geometry is told, not guessed", () => {
  const whole = blob({ type: 3, points: square(1, 2, 1) });
  assert.throws(() => polygonsOfBlob(whole.slice(0, -9)), /damaged/);
  assert.throws(() => polygonsOfBlob(new Uint8Array([1, 2, 3, 4, 5])), /damaged/);
});
