// What the vector tiles of footprints say: areas of one colour, and what lies at a point.
//
// Far away a tile holds one footprint a place, its newest, with the number of all and their mean;
// near, one a product.

import { unwrapped, wrapped, zoomOfWidth } from "./geometry.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Position} Position */

/**
 * @typedef {object} Feature  One piece of a footprint; one that lies on two tiles comes twice.
 * @property {Record<string, any>} properties
 * @property {any} geometry
 */

/**
 * @typedef {object} Seen  A footprint put together.
 * @property {string} id
 * @property {string} datetime
 * @property {string} tile  MGRS tile, such as `33UUU`.
 * @property {number} count  Products that it stands for.
 * @property {number | null} share  Mean share of cloud of these, 0 to 1.
 * @property {Box} box
 */

/**
 * @typedef {object} Area  Products of one grid square, drawn in one colour.
 * @property {string} id  Of the product whose footprint is filled: the widest.
 * @property {string} newest  Id of the newest.
 * @property {string} tile
 * @property {number} count
 * @property {number | null} share  Mean share of cloud, 0 to 1.
 * @property {number} far  Zoom below which the footprint is narrower than a dot.
 * @property {Position} middle
 * @property {number} longitude  Of the middle.
 * @property {number} latitude
 */

/** Footprints narrower than this are drawn as dots. */
const DOT_PX = 14;

/** @param {any} coordinates  Of any geometry. @param {Box} box  Grows. */
function grow(coordinates, box) {
  if (typeof coordinates[0] === "number") {
    const [x, y] = coordinates;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
    return;
  }
  for (const part of coordinates) grow(part, box);
}

/** Newest first. @param {Seen} a @param {Seen} b */
const byTime = (a, b) => (a.datetime < b.datetime ? 1 : a.datetime > b.datetime ? -1 : 0);

/** @param {Feature[]} features @returns {Map<string, Seen>} */
function products(features) {
  /** @type {Map<string, Seen>} */
  const all = new Map();
  for (const { properties, geometry } of features) {
    const known = all.get(properties.id);
    if (known) {
      grow(geometry.coordinates, known.box);
      continue;
    }
    /** @type {Box} */
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    grow(geometry.coordinates, box);
    const cover = properties.mean_cloud_cover ?? properties.cloud_cover;
    all.set(properties.id, {
      id: properties.id,
      datetime: properties.datetime,
      tile: (properties.grid ?? "").replace(/^MGRS-/, ""),
      count: properties.count ?? 1,
      share: typeof cover === "number" ? cover / 100 : null,
      box,
    });
  }
  return all;
}

/** @param {Seen} seen */
const width = ({ box }) => box[2] - box[0];

/** @param {string} tile @param {Seen[]} all  Newest first. @returns {Area} */
function areaOf(tile, all) {
  const known = all.filter(({ share }) => share !== null);
  const weight = known.reduce((sum, { count }) => sum + count, 0);
  const sum = known.reduce((total, { share, count }) => total + (share ?? 0) * count, 0);
  const widest = all.reduce((a, b) => (width(b) > width(a) ? b : a));
  const [west, south, east, north] = unwrapped(widest.box);
  const middle = /** @type {Position} */ ([wrapped((west + east) / 2), (south + north) / 2]);
  return {
    id: widest.id,
    newest: all[0].id,
    tile,
    count: all.reduce((total, { count }) => total + count, 0),
    share: weight ? sum / weight : null,
    far: zoomOfWidth(widest.box, DOT_PX),
    middle,
    longitude: middle[0],
    latitude: middle[1],
  };
}

/**
 * Put pieces together to areas.
 *
 * @param {Feature[]} features
 */
export function areasOf(features) {
  /** @type {Map<string, Seen[]>} */
  const tiles = new Map();
  for (const one of [...products(features).values()].sort(byTime)) {
    const tile = one.tile || one.id;
    const same = tiles.get(tile);
    if (same) same.push(one);
    else tiles.set(tile, [one]);
  }
  return [...tiles].map(([tile, same]) => areaOf(tile, same));
}

/**
 * What lies at a point: how many products, and the newest of them.
 *
 * @param {Feature[]} features
 * @returns {{ count: number, newest: string | null }}
 */
export function pileOf(features) {
  const all = [...products(features).values()].sort(byTime);
  const count = all.reduce((sum, one) => sum + one.count, 0);
  return { count, newest: all[0]?.id ?? null };
}
