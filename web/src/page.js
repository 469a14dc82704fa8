// What is around the map: its state is the address, and everything that is shown follows from it.

import { footprintTemplate } from "./addresses.js";
import { createBrowse } from "./browse.js";
import { byId } from "./dom.js";
import * as early from "./early.js";
import { classesIn, classesOf, dayOf, longDay, tileOf } from "./facts.js";
import { createDays } from "./days.js";
import { createFilters } from "./filters.js";
import { showLegend } from "./legend.js";
import { createList } from "./list.js";
import { MASK_ZOOM, mosaicOf } from "./mosaic.js";
import { tell } from "./notices.js";
import { createTimeline } from "./timeline-view.js";
import { createViewer } from "./viewer.js";
import { createViews } from "./views.js";
import { createWays, waysOn } from "./ways.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").State} State */
/** @typedef {import("./types").View} View */

/** Rest after a move of the map before the catalogue is asked. */
const REST_MS = 250;

/**
 * @param {object} begun
 * @param {import("./types").Services} begun.services
 * @param {import("./store.js").Store} begun.store
 * @param {ReturnType<typeof import("./map.js").createMap>} begun.view
 * @param {import("./types").Config} begun.config
 * @param {Box | null} begun.box  What the map showed at first, where the address does not say.
 */
export function createPage({ services, store, view, config, box }) {
  const notice = byId("notice", HTMLElement);
  const browsePanel = byId("browse", HTMLElement);
  const legend = byId("legend", HTMLElement);
  const summary = byId("summary", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  const days = createDays(services, async (known) => {
    await view.shown;
    timeline.show(known, store.state);
    offerWays();
    drawLegend();
  });
  const timeline = createTimeline(byId("timeline", HTMLElement), (from, to) => {
    store.change({ from, to }, { push: true });
  });
  const filters = createFilters(
    {
      select: byId("collection", HTMLSelectElement),
      from: byId("from", HTMLInputElement),
      to: byId("to", HTMLInputElement),
      chips: byId("chips", HTMLElement),
    },
    store,
  );
  const list = createList(byId("list", HTMLUListElement), {
    addressOf: (item) => store.addressOf({ collection: item.collection, item: item.id }),
    open: openItem,
    point: (item) => void view.highlight(item?.id ?? null),
    classes: () => classesIn(browse.collection()),
    more: () => browse.more(),
  });
  /** Whether nothing is listed. */
  let isEmpty = false;
  const ways = createWays(byId("ways", HTMLElement), ({ change }) => {
    if (change) store.change(change, { push: true });
    else {
      browse.fitAll();
      store.change({ view: null });
    }
    // The button is gone.
    summary.focus();
  });
  const offerWays = () => ways.show(isEmpty ? waysOn(days.known(), store.state) : null);
  const browse = createBrowse(
    {
      stac: services.stac,
      store,
      first: early.collections,
      summary,
      isFitted: box !== null,
      trouble: byId("trouble", HTMLElement),
    },
    {
      collections(all, chosen) {
        filters.offer(all);
        filters.show(store.state, chosen);
        showFootprints();
        void showMosaic();
        look();
        views.refresh();
      },
      items: (items, more) => void view.shown.then(() => list.show(items, more)),
      more: (items, more) => list.add(items, more),
      empty(nothing) {
        isEmpty = nothing;
        offerWays();
      },
      fit: (all) => view.fit(all),
      view: () => view.bounds(),
    },
  );
  const viewer = createViewer({
    services,
    store,
    view,
    first: early,
    details: byId("details", HTMLElement),
    notice,
    shown(item) {
      browsePanel.hidden = item !== null;
      list.reveal();
      document.title = item
        ? `${tileOf(item)}, ${longDay(dayOf(item))} – Nimbostac`
        : "Nimbostac";
      drawLegend();
    },
  });

  const views = createViews({ services, store, view, config, collection: () => browse.collection() });

  function drawLegend() {
    const open = viewer?.current() ?? null;
    const { classes } = store.state;
    const near = view.zoom() >= MASK_ZOOM;
    // Without a field, that view draws no mask.
    const isMasked = near && days.known().length > 0 && (store.state.mode !== "clear" || Boolean(store.state.area));
    showLegend(legend, {
      mask: open ? classesOf(open) : isMasked ? classesIn(browse.collection()) : [],
      names: open ? classes : null,
      colormap: browse.collection()?.renders?.mask?.colormap ?? {},
      footprints: !open && !near && days.known().length > 0,
    });
  }

  /** @param {Pick<Item, "id" | "collection">} item */
  function openItem(item) {
    store.change({ collection: item.collection, item: item.id }, { push: true });
  }

  /**
   * @param {import("./types").Position} place
   * @param {{ count: number, newest: string | null }} pile  What lies there.
   */
  function pick(place, { count, newest }) {
    const { mode, item } = store.state;
    if (mode !== "map") return;
    // A click beside the product that is open, or on it alone, leaves it open.
    if (item && (!count || viewer.covers(place))) return;
    const collection = browse.collection()?.id;
    if (count === 1 && newest && collection) openItem({ id: newest, collection });
    else if (count || store.state.place) {
      store.change({ item: null, place: count ? place : null }, { push: true });
    }
  }

  /** Ask for what is listed of the view, and for the days on which it has something. */
  function look() {
    browse.moved();
    const collection = browse.collection()?.id;
    if (collection) void days.look(collection, view.bounds());
  }

  function showFootprints() {
    const collection = browse.collection()?.id;
    const { from, to } = store.state;
    void view.showFootprints(collection ? footprintTemplate(services, collection, from, to) : null);
  }

  const showMosaic = () => view.showMosaic(mosaicOf(services, browse.collection()?.id ?? null, store.state));

  store.hear((state, previous) => {
    /** @param {(keyof State)[]} names */
    const differs = (...names) =>
      names.some((name) => String(state[name]) !== String(previous[name]));
    if (differs("from", "to", "place", "collection")) filters.show(state, browse.collection()?.id ?? null);
    if (differs("collection", "from", "to", "place")) void browse.look();
    if (differs("collection")) look();
    if (differs("mode", "area")) drawLegend();
    if (differs("from", "to")) timeline.show(days.known(), state);
    if (differs("collection", "from", "to")) showFootprints();
    if (differs("mode", "from", "to", "collection", "item")) void showMosaic();
    if (differs("mode", "item")) {
      void viewer.open(null).then(() => {
        if (!state.item && previous.item) list.focus(previous.item);
      });
    }
  });
  addEventListener("popstate", () => {
    if (store.state.view) view.jumpTo(store.state.view);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && store.state.item) viewer.close();
  });

  void browse.start();
  if (store.state.item) void viewer.open(null);

  return {
    pick,

    /** The map came to rest. @param {View} at @param {boolean} byHand */
    moved(at, byHand) {
      if (byHand) store.change({ view: at });
      clearTimeout(resting);
      resting = setTimeout(look, REST_MS);
      drawLegend();
    },

    /** @param {string} message */
    tilesFailed(message) {
      tell(notice, message, {
        label: "Try again",
        act() {
          void view.retryFootprints();
          look();
          void viewer.open(viewer.current()).then(showMosaic);
        },
      });
    },

    /** Take the colours of the theme. */
    paint: () => views.paint(),
  };
}
