// The page: its state is its address; everything that is shown follows from that.

import { mosaicTemplate, servicesBeside } from "./addresses.js";
import { createBrowse } from "./browse.js";
import { byId } from "./dom.js";
import { clearShare, dayOf, longDay, neighboursOf, tileOf } from "./facts.js";
import { createFilters } from "./filters.js";
import { showLegend } from "./legend.js";
import { createList } from "./list.js";
import { createMap } from "./map.js";
import { createModes } from "./modes.js";
import { tell } from "./notices.js";
import { createStore } from "./store.js";
import { createTheme } from "./theme.js";
import { createTimeline } from "./timeline-view.js";
import { createViewer } from "./viewer.js";

/** @typedef {import("./types").Config} Config */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").State} State */

/** Rest after a move of the map before the catalogue is asked. */
const REST_MS = 250;
/** Zoom of the map from which the masks of a Collection are drawn together. */
const MASK_ZOOM = 8;
const MOSAIC_ZOOMS = { minzoom: MASK_ZOOM, maxzoom: 13 };

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

const services = servicesBeside(document.baseURI);
const store = createStore();
const notice = byId("notice", HTMLElement);
const browsePanel = byId("browse", HTMLElement);
const legend = byId("legend", HTMLElement);

const theme = createTheme(byId("theme", HTMLButtonElement), (next) => void view.setTheme(next));
createModes(byId("modes", HTMLElement), store);
const config = await readConfig();

/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting;
const view = createMap(byId("map", HTMLElement), {
  theme,
  config,
  view: store.state.view,
  hearing: {
    moved(at, byHand) {
      if (byHand) store.change({ view: at });
      clearTimeout(resting);
      resting = setTimeout(browse.moved, REST_MS);
      drawLegend();
    },
    picked: pick,
    tilesFailed(message) {
      tell(notice, `${message} Parts of the mask are missing.`, {
        label: "Try again",
        act: () => void viewer.open(viewer.current()).then(showMosaic),
      });
    },
  },
});

/** @type {Item[]} */
let listed = [];
/** @type {Item[]} */
let seen = [];
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
});
const browse = createBrowse(
  {
    stac: services.stac,
    store,
    summary: byId("summary", HTMLElement),
    trouble: byId("trouble", HTMLElement),
  },
  {
    collections(all, chosen) {
      filters.offer(all);
      filters.show(store.state, chosen);
      void showMosaic();
    },
    items(items, all) {
      [listed, seen] = [items, all];
      list.show(items);
      timeline.show(
        all.map((item) => ({ day: dayOf(item), clear: clearShare(item) })),
        store.state,
      );
      void view.showFound(items);
      drawLegend();
      viewer?.refresh();
    },
    fit: (box) => view.fit(box),
    view: () => view.bounds(),
  },
);
const viewer = createViewer({
  services,
  store,
  view,
  details: byId("details", HTMLElement),
  notice,
  neighbours: (item) => neighboursOf(item, seen),
  shown(item) {
    browsePanel.hidden = item !== null;
    list.reveal();
    document.title = item
      ? `${tileOf(item)}, ${longDay(dayOf(item))} – Nimbostac`
      : "Nimbostac";
    drawLegend();
  },
});

function drawLegend() {
  const open = viewer?.current() ?? null;
  const { classes } = store.state;
  const near = view.zoom() >= MASK_ZOOM;
  showLegend(legend, {
    mask: open ?? (near ? (listed[0] ?? null) : null),
    names: open ? classes : null,
    colormap: browse.collection()?.renders?.mask?.colormap ?? {},
    footprints: !open && !near && listed.length > 0,
  });
}

/** @param {Item} item */
function openItem(item) {
  store.change({ collection: item.collection, item: item.id }, { push: true });
}

/** @param {string[]} ids @param {import("./types").Position} place */
function pick(ids, place) {
  if (store.state.item && (!ids.length || ids.includes(store.state.item))) return;
  const only = ids.length === 1 && listed.find(({ id }) => id === ids[0]);
  if (only) openItem(only);
  else if (ids.length || store.state.place) {
    store.change({ item: null, place: ids.length ? place : null }, { push: true });
  }
}

async function showMosaic() {
  const collection = browse.collection()?.id;
  const { from, to, item } = store.state;
  const tiles = collection && !item && mosaicTemplate(services, collection, from, to);
  await view.showMosaic(tiles ? { tiles, ...MOSAIC_ZOOMS, bounds: [-180, -85, 180, 85] } : null);
}

store.hear((state, previous) => {
  /** @param {(keyof State)[]} names */
  const differs = (...names) =>
    names.some((name) => String(state[name]) !== String(previous[name]));
  if (differs("from", "to", "place", "collection")) filters.show(state, browse.collection()?.id ?? null);
  if (differs("collection")) void browse.look();
  else if (differs("from", "to") && browse.partial()) void browse.look();
  else if (differs("from", "to", "place")) browse.filter();
  if (differs("from", "to", "collection", "item")) void showMosaic();
  if (differs("item")) {
    const known = seen.find(({ id }) => id === state.item) ?? null;
    void viewer.open(known).then(() => {
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
