// One product on the map: its mask over its true colours, and its page beside them.

import { forMap, tileJson, tileTemplate } from "./addresses.js";
import { fetchItem, fetchJson, fetchNeighbours } from "./catalog.js";
import { maskTemplate } from "./class-tiles.js";
import { showDetails } from "./details.js";
import { boxOf, covers } from "./geometry.js";
import { tell, wordsOf } from "./notices.js";

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Services} Services */
/** @typedef {import("./types").State} State */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {ReturnType<typeof import("./map.js").createMap>} MapParts */
/** @typedef {ReturnType<typeof import("./details.js").showDetails>} Page */

/** Zooms below the least that a tile server names at which a mask is small, but still there. */
const FAR = 3;

/**
 * @param {object} parts
 * @param {Services} parts.services
 * @param {Store} parts.store
 * @param {MapParts} parts.view
 * @param {{ item: Promise<Item> | null, tiles: Promise<any> | null }} parts.first  What the page
 *   began with, asked for already.
 * @param {HTMLElement} parts.details
 * @param {HTMLElement} parts.notice
 * @param {(item: Item | null) => void} parts.shown
 */
export function createViewer({ services, store, view, first, details, notice, shown }) {
  /** @type {Item | null} */
  let item = null;
  /** @type {AbortController | null} */
  let running = null;
  let begun = { item: first.item, tiles: first.tiles };

  /** @param {Item} of */
  const maskTiles = (of) => maskTemplate(services, of, store.state.classes);

  /** @param {Item} of @param {AbortSignal} signal @param {Promise<any> | null} tiles */
  async function draw(of, signal, tiles) {
    const bounds = boxOf(of.bbox);
    const json = await (tiles ??
      fetchJson(tileJson(services, of), { signal, who: "The tile server" }));
    if (signal.aborted) return;
    const zooms = { minzoom: Math.max(0, json.minzoom - FAR), maxzoom: json.maxzoom, bounds };
    const preview = of.assets.preview && forMap(tileTemplate(services, of, "preview"));
    await view.showItem(of, {
      mask: { tiles: maskTiles(of), ...zooms },
      preview: preview ? { tiles: preview, ...zooms } : null,
      opacity: store.state.opacity,
    });
  }

  /**
   * Add steps to the masks before and after; without an answer there are just none.
   *
   * @param {Item} of
   * @param {Page} beside
   * @param {AbortSignal} signal
   */
  async function addNeighbours(of, beside, signal) {
    try {
      beside.setNeighbours(...(await fetchNeighbours(services.stac, of, signal)));
    } catch {
      if (!signal.aborted) beside.setNeighbours(null, null);
    }
  }

  function close() {
    store.change({ item: null }, { push: true });
  }

  /**
   * Show an Item that is known, or fetch the one that the state names.
   *
   * @param {Item | null} known
   */
  async function open(known) {
    running?.abort();
    const { signal } = (running = new AbortController());
    const { mode, collection, item: id } = store.state;
    const asked = begun;
    begun = { item: null, tiles: null };
    tell(notice, null);
    if (!collection || !id || mode !== "map") {
      item = null;
      details.hidden = true;
      shown(null);
      // The other views draw what they show themselves.
      if (mode !== "clear" && mode !== "compare") await view.showItem(null, null);
      return;
    }
    try {
      item = known ?? (await (asked.item ?? fetchItem(services.stac, collection, id, signal)));
      if (signal.aborted) return;
      const page = showDetails(details, { services, item, state: store.state, doing });
      details.hidden = false;
      shown(item);
      page.heading.focus({ preventScroll: true });
      if (!store.state.view || !view.looksAt(boxOf(item.bbox))) {
        view.fitItem(item);
        store.change({ view: null });
      }
      void addNeighbours(item, page, signal);
      await draw(item, signal, asked.tiles);
    } catch (error) {
      if (signal.aborted) return;
      await view.showItem(item, null);
      tell(notice, wordsOf(error), { label: "Try again", act: () => void open(item) });
    }
  }

  const doing = {
    close,
    /** @param {Item} next */
    open: (next) => store.change({ collection: next.collection, item: next.id }, { push: true }),
    fit: () => item && view.fitItem(item),
    /** @param {number} opacity */
    setOpacity: (opacity) => store.change({ opacity }),
    /** @param {string[] | null} classes */
    setClasses: (classes) => store.change({ classes }),
  };

  store.hear((state, previous) => {
    if (!item || state.item !== item.id) return;
    if (state.opacity !== previous.opacity) void view.setOpacity(state.opacity);
    if (String(state.classes) !== String(previous.classes)) {
      void view.changeMask(maskTiles(item));
      shown(item);
    }
  });

  return {
    open,
    close,
    current: () => item,
    /** Whether the one that is open covers a place. @param {import("./types").Position} place */
    covers: (place) => item !== null && covers(item.geometry, place),
  };
}
