// What comparing asks of the tile server and the catalogue.

import { fetchJson } from "../catalog.js";

/** @typedef {import("../types").Box} Box */
/** @typedef {import("../types").Item} Item */
/** @typedef {import("../types").Services} Services */
/** @typedef {import("./sides.js").Side} Side */

/**
 * @typedef {object} Mask  One mask of a product or its scene.
 * @property {string} collection
 * @property {string} item
 * @property {"product" | "scene"} same
 * @property {string} datetime
 * @property {string} engine
 * @property {string | null} engine_version
 * @property {number | null} clear
 * @property {string[]} assets
 */

/**
 * @typedef {object} Verdict  How well a class of the left mask meets the right one.
 * @property {number | null} precision
 * @property {number | null} recall
 * @property {number | null} f1
 * @property {number | null} iou
 */

/**
 * @typedef {object} Agreement
 * @property {string[]} classes
 * @property {number[][]} matrix  Pixels; a row a class of the left mask.
 * @property {number[][]} shares  Of the pixels that both hold.
 * @property {number} pixels_valid
 * @property {number} area_km2
 * @property {number | null} agreement
 * @property {number | null} kappa
 * @property {Record<string, Verdict>} by_class
 * @property {string} grids
 */

/** @typedef {{ value: number, name: string, title: string, color: string, opacity: number }} Shade */

const WHO = "The tile server";
/** Dates that can be chosen: a year of two satellites. */
const MOST_DATES = 200;

const encode = encodeURIComponent;

/** @param {Services} services @param {string} item @param {AbortSignal} signal @returns {Promise<Mask[]>} */
export async function fetchMasks({ tiler }, item, signal) {
  const answer = await fetchJson(`${tiler}/compare/items/${encode(item)}`, { signal, who: WHO });
  return answer.masks;
}

/**
 * How masks of one scene are called: by engine, and by level where they differ in it.
 *
 * @param {Mask[]} masks
 * @returns {Map<string, string>}  By Collection.
 */
export function titlesOf(masks) {
  const levelOf = (/** @type {string} */ collection) => /-(l1c|l2a)$/.exec(collection)?.[1] ?? "";
  const levels = new Set(masks.map(({ collection }) => levelOf(collection)));
  return new Map(
    masks.map(({ collection, engine }) => {
      const level = levels.size > 1 ? `, ${levelOf(collection).toUpperCase()}` : "";
      return [collection, `${engine}${level}`];
    }),
  );
}

/**
 * Items of the same tile and engine, newest first.
 *
 * @param {Services} services
 * @param {Item} item
 * @param {AbortSignal} signal
 * @returns {Promise<{ item: string, datetime: string }[]>}
 */
export async function fetchDates({ stac }, item, signal) {
  const code = item.properties["grid:code"];
  const body = {
    collections: [item.collection],
    limit: MOST_DATES,
    sortby: [{ field: "properties.datetime", direction: "desc" }],
    fields: { include: ["id", "properties.datetime"], exclude: ["assets", "links", "geometry"] },
    ...(code
      ? { filter: { op: "=", args: [{ property: "grid:code" }, code] }, "filter-lang": "cql2-json" }
      : { intersects: item.geometry }),
  };
  const { features } = await fetchJson(`${stac}/search`, { body, signal });
  return features.map((/** @type {Item} */ one) => ({
    item: one.id,
    datetime: one.properties.datetime,
  }));
}

/**
 * The newest Item of a Collection, to begin with.
 *
 * @param {Services} services
 * @param {string} collection
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>}
 */
export async function fetchNewest({ stac }, collection, signal) {
  const body = {
    collections: [collection],
    limit: 1,
    sortby: [{ field: "properties.datetime", direction: "desc" }],
  };
  const { features } = await fetchJson(`${stac}/search`, { body, signal });
  return features[0]?.id ?? null;
}

/** @param {Services} services @param {{ left: Side, right: Side }} sides */
function pairPath({ tiler }, { left, right }) {
  const [a, b] = [left, right].map(({ collection, item }) => [encode(collection), encode(item)]);
  return `${tiler}/compare/collections/${a[0]}/items/${a[1]}/with/${b[0]}/items/${b[1]}`;
}

/** Template of the agreement's tiles. @param {Services} services @param {{ left: Side, right: Side }} sides */
export const agreementTiles = (services, sides) =>
  `${pairPath(services, sides)}/tiles/WebMercatorQuad/{z}/{x}/{y}.png?tilesize=512`;

/**
 * @param {Services} services
 * @param {{ left: Side, right: Side }} sides
 * @param {Box | null} box  Counted within it only.
 * @param {AbortSignal} signal
 * @returns {Promise<Agreement>}
 */
export function fetchAgreement(services, sides, box, signal) {
  const within = box ? `?bbox=${box.map((each) => Number(each.toFixed(6))).join(",")}` : "";
  return fetchJson(`${pairPath(services, sides)}${within}`, { signal, who: WHO });
}

/** @param {Services} services @param {AbortSignal} signal @returns {Promise<Shade[]>} */
export async function fetchShades({ tiler }, signal) {
  const { classes } = await fetchJson(`${tiler}/compare/legend.json`, { signal, who: WHO });
  return classes;
}
