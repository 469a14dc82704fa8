// Looking through the catalogue: what is in view, by engine, days and place.

import { fetchCollections, page, search } from "./catalog.js";
import { extentOf } from "./early.js";
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
const NOTHING = { items: [], matched: 0, next: null };

/** @param {Found} found @param {State} state */
function summaryOf({ items, matched, next }, { place }) {
  const count = matched ?? items.length;
  const many = `${count.toLocaleString("en")}${matched === null && next ? " or more" : ""}`;
  const products = count === 1 ? "1 product" : `${many} products`;
  return `${products} ${place ? "at this place" : "in view"}`;
}

/**
 * @param {object} parts
 * @param {string} parts.stac  Base address of the catalogue.
 * @param {Store} parts.store
 * @param {Promise<Collection[]>} parts.first  The Collections, asked for already.
 * @param {boolean} parts.isFitted  Whether the map shows all of the Collection, or what is open, already.
 * @param {HTMLElement} parts.summary
 * @param {HTMLElement} parts.trouble
 * @param {object} show  Where results go.
 * @param {(collections: Collection[], collection: string | null) => void} show.collections
 * @param {(items: Item[], more: boolean) => void} show.items  The newest, and whether there are
 *   more.
 * @param {(isEmpty: boolean) => void} show.empty  Whether a search found nothing at all.
 * @param {(items: Item[], more: boolean) => void} show.more  Those that follow.
 * @param {(box: Box) => void} show.fit
 * @param {() => Box} show.view  What the map shows.
 */
export function createBrowse({ stac, store, first, isFitted, summary, trouble }, show) {
  /** @type {Collection[]} */
  let collections = [];
  let found = NOTHING;
  /** @type {AbortController | null} */
  let running = null;
  /** What was asked for last, as long as it was not refused. */
  let asked = "";
  let started = false;

  /** The Collection of the state, or the first there is. */
  function collection() {
    const named = collections.find(({ id }) => id === store.state.collection);
    return named ?? collections[0] ?? null;
  }

  /** @param {unknown} error @param {() => void} again */
  function fail(error, again) {
    asked = summary.textContent = "";
    found = NOTHING;
    show.empty(false);
    show.items([], false);
    tell(trouble, wordsOf(error), { label: "Try again", act: again });
  }

  /** Search what the state and the map say, unless that was done already. */
  async function look() {
    const { place, from, to } = store.state;
    const name = collection()?.id;
    if (!name) return;
    const query = { collection: name, box: place ? null : show.view(), place, from, to };
    if (JSON.stringify(query) === asked) return;
    asked = JSON.stringify(query);
    running?.abort();
    const { signal } = (running = new AbortController());
    try {
      found = await search(stac, query, signal);
    } catch (error) {
      if (!signal.aborted) fail(error, () => void look());
      return;
    }
    tell(trouble, null);
    summary.textContent = summaryOf(found, store.state);
    show.empty(found.items.length === 0);
    show.items(found.items, found.next !== null);
  }

  /** Fetch the page that follows. */
  async function more() {
    const { next } = found;
    const signal = running?.signal;
    if (!next) return;
    try {
      found = { ...(await page(next, signal)), matched: found.matched };
    } catch (error) {
      if (!signal?.aborted) tell(trouble, wordsOf(error), { label: "Try again", act: more });
      return;
    }
    tell(trouble, null);
    show.more(found.items, found.next !== null);
  }

  /** The map came to rest on something else. */
  function moved() {
    // A map that is still being laid out moves, too.
    if (started) void look();
  }

  /** Take the Collections, and show everything unless the state says where to look. */
  async function start(answer = first) {
    const again = () => void start(fetchCollections(stac));
    try {
      collections = await answer;
    } catch (error) {
      fail(error, again);
      return;
    }
    tell(trouble, null);
    show.collections(collections, collection()?.id ?? null);
    if (!collections.length) {
      tell(trouble, EMPTY_CATALOGUE, { label: "Look again", act: again });
      return;
    }
    if (!isFitted && !store.state.view && !store.state.item) fitAll();
    started = true;
    await look();
  }

  /** Let the map show all of the Collection. */
  function fitAll() {
    const box = extentOf(collection());
    if (box) show.fit(box);
  }

  return { collection, fitAll, look, more, moved, start };
}
