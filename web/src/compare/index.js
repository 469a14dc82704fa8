// Comparing: two pictures of one place under a divider or side by side, all engines, agreement.

import { forMap, tileTemplate } from "../addresses.js";
import { fetchItem } from "../catalog.js";
import { maskTemplate } from "../class-tiles.js";
import { byId } from "../dom.js";
import { boxOf, wrapped } from "../geometry.js";
import { wordsOf } from "../notices.js";
import {
  agreementTiles,
  fetchAgreement,
  fetchDates,
  fetchMasks,
  fetchNewest,
  fetchShades,
} from "./ask.js";
import { agreementTable } from "./matrix.js";
import { createPanel } from "./panel.js";
import { againstOf, areMasks, namesOf, sidesOf } from "./sides.js";
import { classesOfAll, createStage } from "./stage.js";

/** @typedef {import("./ask.js").Mask} Mask */
/** @typedef {import("./sides.js").Side} Side */
/** @typedef {import("../types").Item} Item */
/** @typedef {import("../types").State} State */

const ZOOMS = { minzoom: 5, maxzoom: 14 };
/** Rest after a move of the map before pictures of the view are asked for. */
const REST_MS = 300;

/** @typedef {{ left: Item, right: Item, sides: { left: Side, right: Side }, masks: Mask[] }} Loaded */

/** @param {import("../views.js").Parts} parts @returns {import("../views.js").View} */
export function createCompare(parts) {
  const { services, store, view, collection, theme } = parts;
  const element = byId("compare", HTMLElement);
  const stage = createStage(parts);
  /** @type {Loaded | null} */
  let loaded = null;
  /** @type {AbortController | null} */
  let running = null;
  /** @type {AbortController | null} */
  let counting = null;
  /** @type {"whole" | "view"} */
  let within = "whole";
  let key = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;

  const panel = createPanel(element, {
    setWay: (how) => store.change({ how }, { push: true }),
    setLeft(name, item) {
      const before = sidesOf(store.state);
      const left = /** @type {Side} */ ({ collection: name, item, picture: "mask" });
      // The right side stays what it is to the left one, unless the two would be one.
      const again = before && before.right.collection === name && before.right.item === item;
      const stays = before && before.right.item !== before.left.item ? againstOf(left, before.right) : store.state.against;
      const same = !again && stays !== name;
      store.change({ collection: name, item, against: same ? stays : null }, { push: true });
    },
    setRight: (against) => store.change({ against }, { push: true }),
    swap() {
      const sides = sidesOf(store.state);
      if (!sides) return;
      const { left, right } = sides;
      const against = againstOf(right, left);
      store.change({ collection: right.collection, item: right.item, against }, { push: true });
    },
    setOpacity: (opacity) => store.change({ opacity }),
    setClasses: (classes) => store.change({ classes }),
    setWithin(chosen) {
      within = chosen;
      void count();
    },
  });

  /** @param {Item} item */
  const maskTiles = (item) => maskTemplate(services, item, store.state.classes);

  /** Of the mask of a side, in per cent: a side that is a picture hides its mask. @param {Side} side */
  const opacityOf = (side) => (side.picture === "mask" ? store.state.opacity : 0);

  /** @param {Item} item @param {Side} side */
  function picturesOf(item, side) {
    const place = { ...ZOOMS, bounds: boxOf(item.bbox) };
    const preview = forMap(tileTemplate(services, item, "preview"));
    return {
      mask: { tiles: maskTiles(item), ...place },
      preview: item.assets.preview ? { tiles: preview, ...place } : null,
      opacity: opacityOf(side),
    };
  }

  function leave() {
    running?.abort();
    counting?.abort();
    stage.clear();
    [key, loaded] = ["", null];
  }

  function showSlides() {
    if (loaded && store.state.how === "slides") stage.showSlides(loaded);
  }

  /** Count the classes of both masks against each other. */
  async function count() {
    if (!loaded || store.state.how !== "agreement" || !areMasks(loaded.sides)) return;
    counting?.abort();
    const { signal } = (counting = new AbortController());
    const [west, south, east, north] = view.bounds();
    /** @type {import("../types").Box | null} */
    const box = within === "view" ? [wrapped(west), south, wrapped(east), north] : null;
    try {
      const [agreement, shades] = await Promise.all([
        fetchAgreement(services, loaded.sides, box, signal),
        fetchShades(services, signal),
      ]);
      panel.tell(null);
      panel.showShades(shades);
      const [left, right] = namesOf(loaded);
      panel.numbers.replaceChildren(agreementTable(agreement, left, right));
    } catch (error) {
      if (signal.aborted) return;
      panel.numbers.replaceChildren();
      panel.tell(wordsOf(error), { label: "Try again", act: () => void count() });
    }
  }

  async function draw() {
    if (!loaded) return;
    const { left, right, sides } = loaded;
    const { how, opacity } = store.state;
    stage.arrange();
    panel.showOpacity(opacity);
    panel.showWay(how, areMasks(sides));
    stage.divide(namesOf(loaded));
    if (how === "agreement") {
      const { preview, mask } = picturesOf(left, sides.left);
      const tiles = { ...mask, tiles: agreementTiles(services, sides) };
      if (!areMasks(sides)) {
        panel.tell("Two masks agree or not: choose a mask for B, by another engine or of another date.");
        await view.showItem(left, { mask, preview, opacity });
        return;
      }
      await view.showItem(left, { mask: tiles, preview, opacity });
      void count();
      return;
    }
    await view.showItem(left, picturesOf(left, sides.left));
    await stage.twin()?.show(picturesOf(right, sides.right));
    showSlides();
  }

  /** Fetch what the state names. */
  async function load() {
    running?.abort();
    const { signal } = (running = new AbortController());
    const sides = sidesOf(store.state);
    try {
      if (!sides) {
        const of = collection();
        const item = of && (await fetchNewest(services, of.id, signal));
        if (item) store.change({ collection: of.id, item });
        else if (of) panel.tell("There is nothing to compare yet: the catalogue holds no mask.");
        return;
      }
      panel.tell(null);
      const left = await fetchItem(services.stac, sides.left.collection, sides.left.item, signal);
      const [right, masks, dates] = await Promise.all([
        sides.right.picture === "preview"
          ? left
          : fetchItem(services.stac, sides.right.collection, sides.right.item, signal),
        fetchMasks(services, left.id, signal),
        fetchDates(services, left, signal),
      ]);
      const isFirst = !loaded;
      loaded = { left, right, sides, masks };
      panel.offer(masks, dates, sides, againstOf(sides.left, sides.right) ?? "");
      panel.offerClasses(classesOfAll(left, right), store.state.classes);
      stage.arrange();
      // At once, for the place is fitted to what is left of the map.
      view.map.resize();
      if (isFirst && (!store.state.view || !view.looksAt(boxOf(left.bbox)))) view.fitItem(left);
      await draw();
    } catch (error) {
      if (signal.aborted) return;
      key = "";
      panel.tell(wordsOf(error), { label: "Try again", act: () => update(null) });
    }
  }

  /** Draw the same pictures otherwise. @param {State} state @param {State} previous */
  function change({ opacity, classes, how }, previous) {
    const isFainter = opacity !== previous.opacity;
    const isOther = String(classes) !== String(previous.classes);
    if (!loaded || !(isFainter || isOther)) return;
    const { left, right, sides } = loaded;
    if (isFainter) {
      void view.setOpacity(opacity);
      void stage.twin()?.setOpacity(opacityOf(sides.right));
    }
    if (isOther) {
      panel.showClasses(classes);
      if (how !== "agreement" || !areMasks(sides)) void view.changeMask(maskTiles(left));
      void stage.twin()?.changeMask(maskTiles(right));
    }
    showSlides();
  }

  /** Do what the state says. @param {State | null} previous */
  function update(previous) {
    const { state } = store;
    const isHere = state.mode === "compare";
    element.hidden = !isHere;
    if (!isHere) {
      if (previous?.mode === "compare") leave();
      return;
    }
    panel.showWay(state.how, loaded ? areMasks(loaded.sides) : false);
    panel.showOpacity(state.opacity);
    const wanted = `${state.collection} ${state.item} ${state.against} ${collection()?.id}`;
    if (wanted !== key) {
      key = wanted;
      void load();
    } else if (previous && previous.how !== state.how) void draw();
    else if (previous) change(state, previous);
    if (previous?.divide !== state.divide) stage.divide(namesOf(loaded));
  }

  store.hear((_, previous) => update(previous));
  view.map.on("move", () => {
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (store.state.mode !== "compare") return;
      showSlides();
      if (within === "view") void count();
    }, REST_MS);
  });

  return {
    refresh: () => update(null),
    paint: () => void stage.twin()?.paint(theme()),
  };
}
