// What the page asks of the catalogue, and what it says when there is no answer.

import { interval } from "./addresses.js";
import { searchArea } from "./geometry.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Collection} Collection */
/** @typedef {import("./types").Found} Found */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Position} Position */

/** Items of one search: enough for a screen, few enough to come at once. */
const PAGE = 40;

/** A service that did not do what it was asked; its message is for people. */
export class ServiceError extends Error {
  /**
   * @param {string} message
   * @param {number | null} status  HTTP status; null where nothing answered.
   */
  constructor(message, status) {
    super(message);
    this.name = "ServiceError";
    this.status = status;
  }
}

/**
 * Fetch JSON.
 *
 * @param {string} address
 * @param {{ body?: unknown, signal?: AbortSignal, who?: string }} [options]  `who`: how the
 *   service is called in what people read.
 * @throws {ServiceError}
 */
export async function fetchJson(address, { body, signal, who = "The catalogue" } = {}) {
  /** @type {RequestInit} */
  const request = { signal, headers: { accept: "application/geo+json, application/json" } };
  if (body !== undefined) {
    request.method = "POST";
    request.headers = { ...request.headers, "content-type": "application/json" };
    request.body = JSON.stringify(body);
  }
  /** @type {Response} */
  let response;
  try {
    response = await fetch(address, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServiceError(`${who} does not answer. Is the stack running?`, null);
  }
  if (!response.ok) throw await refusal(response, who);
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServiceError(`${who} answered with something that is not JSON.`, response.status);
  }
}

/** @param {Response} response @param {string} who */
async function refusal(response, who) {
  let detail = "";
  try {
    const body = await response.json();
    if (typeof body.detail === "string") detail = `: ${body.detail}`;
    else if (typeof body.description === "string") detail = `: ${body.description}`;
  } catch {
    // The status has to do.
  }
  return new ServiceError(`${who} answered ${response.status}${detail}`, response.status);
}

/**
 * @param {string} stac  Base address of the catalogue.
 * @returns {Promise<Collection[]>}
 */
export async function fetchCollections(stac) {
  const { collections } = await fetchJson(`${stac}/collections`);
  return collections;
}

/** What a list shows of an Item: whole ones take the catalogue several times as long. */
const LISTED = [
  "id",
  "collection",
  "geometry",
  "assets.thumbnail",
  ...["datetime", "eo:cloud_cover", "grid:code", "nimbostac:level"].map(propertyOf),
  ...["clear", "cloud_shadow", "semi_transparent", "cloud"].map((name) =>
    propertyOf(`nimbostac:${name}`),
  ),
];

/** @param {string} name */
function propertyOf(name) {
  return `properties.${name}`;
}

/**
 * A first page of Items, newest first.
 *
 * @param {string} stac
 * @param {object} query
 * @param {string} query.collection
 * @param {Box | null} [query.box]
 * @param {Position | null} [query.place]  Only what covers it; counts before `box`.
 * @param {string | null} [query.from]
 * @param {string | null} [query.to]
 * @param {AbortSignal} [signal]
 * @returns {Promise<Found>}
 */
export function search(stac, { collection, box, place, from = null, to = null }, signal) {
  const where = place
    ? { intersects: { type: "Point", coordinates: place } }
    : box
      ? searchArea(box)
      : {};
  const body = {
    collections: [collection],
    limit: PAGE,
    fields: { include: LISTED },
    sortby: newest("desc"),
    ...where,
    ...(from || to ? { datetime: interval(from, to) } : {}),
  };
  return page({ address: `${stac}/search`, body }, signal);
}

/**
 * The page that follows another, or a first one.
 *
 * @param {{ address: string, body: unknown }} request
 * @param {AbortSignal} [signal]
 * @returns {Promise<Found>}
 */
export async function page({ address, body }, signal) {
  const answer = await fetchJson(address, { body, signal });
  const next = (answer.links ?? []).find((/** @type {any} */ link) => link.rel === "next");
  return {
    items: answer.features,
    matched: answer.numberMatched ?? null,
    next: next ? { address: next.href, body: next.body } : null,
  };
}

/** @param {"asc" | "desc"} direction */
const newest = (direction) => [{ field: "properties.datetime", direction }];

/**
 * The masks of the same grid square just before and just after one.
 *
 * @param {string} stac
 * @param {Item} item
 * @param {AbortSignal} [signal]
 * @returns {Promise<[Item | null, Item | null]>}
 */
export async function fetchNeighbours(stac, item, signal) {
  const code = item.properties["grid:code"];
  if (typeof code !== "string") return [null, null];
  const { datetime } = item.properties;
  const beside = [
    ["<", "desc"],
    [">", "asc"],
  ].map(async ([op, direction]) => {
    const body = {
      collections: [item.collection],
      limit: 1,
      fields: { include: ["id", "collection", "properties.datetime"] },
      sortby: newest(/** @type {"asc" | "desc"} */ (direction)),
      "filter-lang": "cql2-json",
      filter: {
        op: "and",
        args: [
          { op: "=", args: [{ property: "grid:code" }, code] },
          { op, args: [{ property: "datetime" }, { timestamp: datetime }] },
        ],
      },
    };
    const { items } = await page({ address: `${stac}/search`, body }, signal);
    return items[0] ?? null;
  });
  const [before, after] = await Promise.all(beside);
  return [before, after];
}

/**
 * @param {string} stac
 * @param {string} collection
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<Item>}
 */
export function fetchItem(stac, collection, id, signal) {
  const path = `collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(id)}`;
  return fetchJson(`${stac}/${path}`, { signal });
}
