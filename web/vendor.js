// Fill a folder with what the page loads of other people's work: `node vendor.js FOLDER`.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GeoJSONVT } from "@maplibre/geojson-vt";
import { fromGeojsonVt } from "@maplibre/vt-pbf";
import { feature, mesh } from "topojson-client";

const modules = fileURLToPath(new URL("node_modules/", import.meta.url));
const target = process.argv[2] ?? "vendor";

/** @typedef {[number, number]} Position */
/** @typedef {{ type: string, coordinates: any }} Geometry */

/** @param {Position} position */
const rounded = ([x, y]) => [Math.round(x * 1e3) / 1e3, Math.round(y * 1e3) / 1e3];

/**
 * Let a line that crosses the antimeridian go on beyond 180 degrees instead of jumping back.
 *
 * @param {Position[]} line
 */
function unwrapped(line) {
  let turn = 0;
  return line.map(([x, y], index) => {
    const step = index ? x - line[index - 1][0] : 0;
    if (Math.abs(step) > 180) turn -= 360 * Math.sign(step);
    return /** @type {Position} */ ([x + turn, y]);
  });
}

/** @param {Geometry} geometry @returns {Position[][][]} */
function polygons({ type, coordinates }) {
  if (type === "Polygon") return [coordinates];
  return type === "MultiPolygon" ? coordinates : [];
}

/** Area in square degrees, shrunk towards the poles. @param {Position[]} ring */
function area(ring) {
  let sum = 0;
  let latitude = 0;
  for (let i = 1; i < ring.length; i += 1) {
    sum += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
    latitude += ring[i][1];
  }
  return Math.abs(sum / 2) * Math.cos(((latitude / ring.length) * Math.PI) / 180);
}

/**
 * Distance to the nearest edge, negative outside.
 *
 * @param {Position} point @param {Position[]} ring
 */
function depth([x, y], ring) {
  let inside = false;
  let nearest = Infinity;
  for (let i = 1; i < ring.length; i += 1) {
    const [[ax, ay], [bx, by]] = [ring[i - 1], ring[i]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    const [dx, dy] = [bx - ax, by - ay];
    const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
    const t = Math.min(1, Math.max(0, along));
    nearest = Math.min(nearest, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return inside ? nearest : -nearest;
}

/** Where a name has the most room around it. @param {Position[]} ring @returns {Position} */
function labelPoint(ring) {
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  const [west, east] = [Math.min(...xs), Math.max(...xs)];
  const [south, north] = [Math.min(...ys), Math.max(...ys)];
  const steps = 24;
  /** @type {Position} */
  let best = [(west + east) / 2, (south + north) / 2];
  let bestDepth = -Infinity;
  for (let row = 1; row < steps; row += 1) {
    for (let column = 1; column < steps; column += 1) {
      /** @type {Position} */
      const point = [
        west + ((east - west) * column) / steps,
        south + ((north - south) * row) / steps,
      ];
      const found = depth(point, ring);
      if (found > bestDepth) [best, bestDepth] = [point, found];
    }
  }
  return best;
}

/** @param {"50m" | "10m"} scale */
function readAtlas(scale) {
  return JSON.parse(readFileSync(join(modules, `world-atlas/countries-${scale}.json`), "utf8"));
}

/** @param {number} x @param {number} y @returns {Position} */
const at = (x, y) => [x, y];

/** @param {string} kind @param {string} type @param {Position[][]} lines */
const drawn = (kind, type, lines) => ({
  type: "Feature",
  properties: { kind },
  geometry: { type, coordinates: lines.map((line) => line.map(rounded)) },
});

/**
 * Land, coast and borders as one GeoJSON. Most land is its own coast; a ring around the pole has
 * no inside on a flat map, so it comes as `polar` land with a `coast` of its own.
 *
 * @param {any} atlas
 */
function earth(atlas) {
  const { land, countries } = atlas.objects;
  const pieces = feature(atlas, land).features.flatMap((one) => polygons(one.geometry));
  const borders = mesh(atlas, countries, (a, b) => a !== b).coordinates;
  return [
    ...pieces.flatMap((rings) => {
      const lines = rings.filter((ring) => ring.some(([, y]) => y > -89)).map(unwrapped);
      const [outer] = lines;
      const [[west], [east]] = [outer[0], outer[outer.length - 1]];
      if (Math.abs(east - west) < 180) return [drawn("land", "Polygon", lines)];
      const closed = [...outer, at(east, -90), at(west, -90), outer[0]];
      return [drawn("polar", "Polygon", [closed]), drawn("coast", "MultiLineString", lines)];
    }),
    drawn("border", "MultiLineString", borders.map(unwrapped)),
  ];
}

/** Names of countries, each where its largest piece of land has room. @param {any} atlas */
function names(atlas) {
  return feature(atlas, atlas.objects.countries).features.map((country) => {
    const rings = polygons(country.geometry).map(([outer]) => unwrapped(outer));
    const largest = rings.reduce((a, b) => (area(b) > area(a) ? b : a));
    return {
      type: "Feature",
      properties: { name: country.properties.name, area: Math.round(area(largest) * 10) / 10 },
      geometry: { type: "Point", coordinates: rounded(labelPoint(largest)) },
    };
  });
}

/** Zooms of one file. */
const DEPTH = 2;

/**
 * Cut features to vector tiles. A file holds the tiles of two zooms below one tile of the zoom
 * above them, after which it is named, or the first two of all: the length of an index, the index
 * as JSON (place of every tile), the tiles. Empty tiles are left out, empty files are not.
 *
 * @param {any} index @param {number} low  The first of both zooms.
 */
function writeTiles(index, low) {
  const root = Math.max(0, low - 1);
  for (let x = 0; x < 2 ** root; x += 1) {
    for (let y = 0; y < 2 ** root; y += 1) writeArchive(index, low, [root, x, y]);
  }
}

/** @param {any} index @param {number} low @param {number[]} above */
function writeArchive(index, low, [root, left, top]) {
  /** @type {Record<string, [number, number]>} */
  const places = {};
  const blobs = [];
  let length = 0;
  for (let z = low; z < low + DEPTH; z += 1) {
    const edge = 2 ** (z - root);
    for (let x = left * edge; x < (left + 1) * edge; x += 1) {
      for (let y = top * edge; y < (top + 1) * edge; y += 1) {
        const tile = index.getTile(z, x, y);
        if (!tile?.features.length) continue;
        const blob = fromGeojsonVt({ earth: tile }, { version: 2 });
        places[`${z}/${x}/${y}`] = [length, blob.length];
        blobs.push(blob);
        length += blob.length;
      }
    }
  }
  const header = Buffer.from(JSON.stringify(places));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(header.length);
  const name = low ? `${root}-${left}-${top}` : "world";
  writeFileSync(join(target, "earth", `${name}.tiles`), Buffer.concat([size, header, ...blobs]));
}

/** @param {any[]} features */
const cut = (features) =>
  new GeoJSONVT(
    { type: "FeatureCollection", features },
    { maxZoom: 5, indexMaxZoom: 5, indexMaxPoints: 0, tolerance: 5, buffer: 64 },
  );

mkdirSync(join(target, "earth"), { recursive: true });
for (const name of ["maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css"]) {
  cpSync(join(modules, "maplibre-gl/dist", name), join(target, name));
}
for (const name of ["worker.sql-wasm.js", "sql-wasm.wasm"]) {
  cpSync(join(modules, "sql.js/dist", name), join(target, name));
}
cpSync(join(modules, "sql.js/LICENSE"), join(target, "sql.js.LICENSE.txt"));
cpSync(join(modules, "proj4/dist/proj4.js"), join(target, "proj4.js"));
cpSync(join(modules, "proj4/LICENSE.md"), join(target, "proj4.LICENSE.txt"));
cpSync(join(modules, "maplibre-gl/LICENSE.txt"), join(target, "maplibre-gl.LICENSE.txt"));
cpSync(join(modules, "world-atlas/LICENSE"), join(target, "world-atlas.LICENSE.txt"));
const coarse = readAtlas("50m");
const countries = { type: "FeatureCollection", features: names(coarse) };
writeFileSync(join(target, "countries.json"), JSON.stringify(countries));
const far = cut(earth(coarse));
for (const low of [0, 2]) writeTiles(far, low);
writeTiles(cut(earth(readAtlas("10m"))), 4);
