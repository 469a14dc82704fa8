// What the first map waits for, asked for before the rest of the page has come.

import { servicesBeside, tileJson } from "./addresses.js";
import { fetchCollections, fetchItem, fetchJson } from "./catalog.js";
import { boxOf } from "./geometry.js";
import { readState } from "./state.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Collection} Collection */
/** @typedef {import("./types").Config} Config */

/** A service that takes longer than this does not keep the map waiting. */
const PATIENCE_MS = 400;

/** @returns {Promise<Config>} */
async function readConfig() {
  try {
    const response = await fetch("config.json");
    if (response.ok) return await response.json();
  } catch {
    // The page does without.
  }
  return { background: null };
}

/** Where a promise fails, those who wait for it say so. @template T @param {Promise<T>} promise */
function asked(promise) {
  promise.catch(() => {});
  return promise;
}

export const services = servicesBeside(document.baseURI);
const { mode, collection, item: id, view } = readState(location.search);
const named = collection && id ? { collection, id } : null;
const open = mode === "map" || mode === "compare" ? named : null;

export const config = readConfig();
export const collections = asked(fetchCollections(services.stac));
/** The product that the address has open, if it has one; and the TileJSON of its mask. */
export const item = open && asked(fetchItem(services.stac, open.collection, open.id));
export const tiles =
  open && mode === "map" ? asked(fetchJson(tileJson(services, open), { who: "The tile server" })) : null;

/** The box around all of a Collection. @param {Collection | null | undefined} of @returns {Box | null} */
export function extentOf(of) {
  const bbox = of?.extent?.spatial?.bbox?.[0];
  return bbox ? boxOf(bbox) : null;
}

/** What comes soon of a promise, or null. @template T @param {Promise<T>} promise @returns {Promise<T | null>} */
function soon(promise) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)).then(() => null);
  return Promise.race([promise.catch(() => null), late]);
}

/** The Collection that the address names, or the first; null where none is known soon. */
export const firstCollection = () =>
  soon(collections.then((all) => all.find((one) => one.id === collection) ?? all[0] ?? null));

/**
 * What the map shows at first, where the address does not say: the product that is open, or all
 * of the Collection; null where that is not known soon.
 *
 * @param {Collection | null} of
 * @returns {Promise<Box | null>}
 */
export async function firstBox(of) {
  if (view) return null;
  return item ? soon(item.then(({ bbox }) => boxOf(bbox))) : extentOf(of);
}
