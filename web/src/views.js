// The views beside the map's own: each is loaded when somebody goes there.

import { byId } from "./dom.js";

/** @typedef {import("./types").Collection} Collection */
/** @typedef {import("./types").Services} Services */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {ReturnType<typeof import("./map.js").createMap>} MapParts */

/**
 * @typedef {object} Parts  What a view needs of the page.
 * @property {Services} services
 * @property {Store} store
 * @property {MapParts} view
 * @property {import("./types").Config} config
 * @property {() => Collection | null} collection  The one that is chosen.
 * @property {() => "light" | "dark"} theme
 * @property {HTMLElement} frame  Around the map.
 */

/** @typedef {{ refresh: () => void, paint: () => void }} View */

/** @returns {"light" | "dark"} */
const theme = () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");

/** @param {Omit<Parts, "theme" | "frame">} page */
export function createViews(page) {
  /** @type {Parts} */
  const parts = { ...page, theme, frame: byId("frame", HTMLElement) };
  /** @type {Map<string, Promise<View>>} */
  const made = new Map();

  const makers = {
    clear: async () => (await import("./clear/index.js")).createClear(parts),
    compare: async () => (await import("./compare/index.js")).createCompare(parts),
    operate: async () => (await import("./operate/index.js")).createOperate(parts),
  };

  /** @param {keyof typeof makers} mode */
  function load(mode) {
    if (made.has(mode)) return;
    const loading = makers[mode]();
    made.set(mode, loading);
    loading.then(
      (view) => view.refresh(),
      () => made.delete(mode),
    );
  }

  function loadWanted() {
    const { mode } = page.store.state;
    if (mode !== "map") load(mode);
  }

  page.store.hear(loadWanted);
  // A file held over the page may be somebody's field.
  addEventListener("dragenter", () => load("clear"));
  loadWanted();

  return {
    /** Something that views show may have changed. */
    refresh() {
      for (const view of made.values()) void view.then((one) => one.refresh());
    },

    /** Take the colours of the theme. */
    paint() {
      for (const view of made.values()) void view.then((one) => one.paint());
    },
  };
}
