// What the page asks of the catalogue, and what it says when there is no answer.

import { interval } from "./addresses.js";
import { searchArea } from "./geometry.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Collection} Collection */
/** @typedef {import("./types").Found} Found */
/** @typedef {import("./types").Item} Item */

/** Items of one search: enough for a screen, few enough to draw at once. */
export const MOST_ITEMS = 500;

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

/**
 * Newest Items first.
 *
 * @param {string} stac
 * @param {{ collection: string, box?: Box | null, from?: string | null, to?: string | null }} query
 * @param {AbortSignal} [signal]
 * @returns {Promise<Found>}
 */
export async function search(stac, { collection, box, from = null, to = null }, signal) {
  const body = {
    collections: [collection],
    limit: MOST_ITEMS,
    sortby: [{ field: "properties.datetime", direction: "desc" }],
    ...(box ? searchArea(box) : {}),
    ...(from || to ? { datetime: interval(from, to) } : {}),
  };
  const page = await fetchJson(`${stac}/search`, { body, signal });
  const more = (page.links ?? []).some((/** @type {{ rel: string }} */ link) => link.rel === "next");
  return { items: page.features, matched: page.numberMatched ?? null, more };
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
