// Looking through the catalogue: what is in view, by engine, days and place.

import { fetchCollections, search } from "./catalog.js";
import { dayOf } from "./facts.js";
import { boxAround, boxOf, covers } from "./geometry.js";
import { tell, wordsOf } from "./notices.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Collection} Collection */
/** @typedef {import("./types").Found} Found */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").State} State */
/** @typedef {import("./store.js").Store} Store */

const EMPTY_CATALOGUE =
  "The catalogue is empty. “nimbostac demo” brings a sample, “nimbostac backfill” your own products.";

/** @type {Found} */
const NOTHING = { items: [], matched: null, more: false };

/** @param {State} state @param {Item} item */
function wanted({ from, to, place }, item) {
  const day = dayOf(item);
  if ((from && day < from) || (to && day > to)) return false;
  return !place || covers(item.geometry, place);
}

/** @param {number} count @param {Found} found */
function summaryOf(count, { items, matched, more }) {
  const products = count === 1 ? "1 product" : `${count.toLocaleString("en")} products`;
  if (!more) return `${products} in view`;
  const all = matched ? ` of ${matched.toLocaleString("en")}` : "";
  return `${products} among the newest ${items.length.toLocaleString("en")}${all} in view`;
}

/**
 * @param {object} parts
 * @param {string} parts.stac  Base address of the catalogue.
 * @param {Store} parts.store
 * @param {HTMLElement} parts.summary
 * @param {HTMLElement} parts.trouble
 * @param {object} show  Where results go.
 * @param {(collections: Collection[], collection: string | null) => void} show.collections
 * @param {(items: Item[], all: Item[]) => void} show.items  What is wanted, and what is in view.
 * @param {(box: Box) => void} show.fit
 * @param {() => Box} show.view  What the map shows.
 */
export function createBrowse({ stac, store, summary, trouble }, show) {
  /** @type {Collection[]} */
  let collections = [];
  /** Of all days, for the timeline. */
  let seen = NOTHING;
  /** Of the days that are wanted, as far as they were asked for alone. */
  let found = NOTHING;
  /** @type {AbortController | null} */
  let running = null;
  let started = false;

  /** The Collection of the state, or the first there is. */
  function collection() {
    const asked = collections.find(({ id }) => id === store.state.collection);
    return asked ?? collections[0] ?? null;
  }

  /** @param {Found} everything @param {Found} chosen */
  function take(everything, chosen) {
    [seen, found] = [everything, chosen];
    filter();
  }

  /** Show what the state wants of what was found. */
  function filter() {
    const items = found.items.filter((item) => wanted(store.state, item));
    summary.textContent = seen !== NOTHING ? summaryOf(items.length, found) : "";
    show.items(items, seen.items);
  }

  /** @param {unknown} error @param {() => void} again */
  function fail(error, again) {
    take(NOTHING, NOTHING);
    tell(trouble, wordsOf(error), { label: "Try again", act: again });
  }

  /**
   * Search a part of the map, or everything.
   *
   * @param {Box | null} box
   * @returns {Promise<void>}
   */
  async function look(box) {
    const name = collection()?.id;
    if (!name) return;
    running?.abort();
    const { signal } = (running = new AbortController());
    const { from, to } = store.state;
    try {
      const everything = await search(stac, { collection: name, box }, signal);
      // The newest are no answer to somebody who wants older ones.
      const chosen =
        everything.more && (from || to)
          ? await search(stac, { collection: name, box, from, to }, signal)
          : everything;
      tell(trouble, null);
      take(everything, chosen);
    } catch (error) {
      if (!signal.aborted) fail(error, () => void look(box));
    }
  }

  /** The map came to rest on something else. */
  function moved() {
    // A map that is still being laid out moves, too, and must not end the first search.
    if (started) void look(show.view());
  }

  /** Ask for the Collections, and show everything unless the state says where to look. */
  async function start() {
    try {
      collections = await fetchCollections(stac);
    } catch (error) {
      fail(error, () => void start());
      return;
    }
    tell(trouble, null);
    show.collections(collections, collection()?.id ?? null);
    if (!collections.length) {
      tell(trouble, EMPTY_CATALOGUE, { label: "Look again", act: () => void start() });
    } else {
      await (store.state.view || store.state.item ? look(show.view()) : showAll());
      started = true;
    }
  }

  /** Search everything, and let the map show all of it. */
  async function showAll() {
    await look(null);
    const box = boxAround(found.items.map((item) => boxOf(item.bbox)));
    if (box) show.fit(box);
  }

  return {
    collection,
    filter,
    look: () => look(show.view()),
    moved,
    showAll,
    start,
    /** Whether days that were not asked for may be missing. */
    partial: () => seen.more,
  };
}
