// What the map's frame shows in each way of comparing: a second map, a divider, slides.

import { h } from "../dom.js";
import { classesOf } from "../facts.js";
import { createDivider } from "./divider.js";
import { createSlides } from "./slides.js";
import { createTwin } from "./twin.js";

/** @typedef {import("./ask.js").Mask} Mask */
/** @typedef {import("../types").Item} Item */
/** @typedef {import("../types").State} State */

/** Classes of two masks, each once. @param {Item[]} items */
export function classesOfAll(...items) {
  const all = new Map(items.flatMap(classesOf).map((one) => [one.value, one]));
  return [...all.values()].sort((a, b) => a.value - b.value);
}

/** @param {import("../views.js").Parts} parts */
export function createStage({ services, store, view, config, theme, frame }) {
  const twinBox = h("div", { class: "twin", role: "region", "aria-label": "Map of B" });
  const slidesBox = h("div", { class: "slides", role: "group", "aria-label": "Slides" });
  const names = { left: h("p", { class: "side-name left" }), right: h("p", { class: "side-name right" }) };
  const divider = createDivider((divide) => store.change({ divide }));
  const slides = createSlides(slidesBox, services);
  /** @type {ReturnType<typeof createTwin> | null} */
  let twin = null;

  function dropTwin() {
    twin?.remove();
    twin = null;
    for (const piece of [twinBox, names.left, names.right]) piece.remove();
  }

  return {
    /** Bring the pieces on the map that a way needs, and take away the others. */
    arrange() {
      const { how } = store.state;
      const isTwo = how === "swipe" || how === "side";
      document.body.dataset.how = how;
      if (isTwo && !twin) {
        frame.append(twinBox, names.left, names.right);
        twin = createTwin(twinBox, view.map, {
          theme: theme(),
          config,
          moved: (at) => store.change({ view: at }),
        });
      } else if (!isTwo) dropTwin();
      twinBox.inert = how === "swipe";
      if (how === "swipe") frame.append(divider.element);
      else divider.element.remove();
      if (how === "slides") frame.append(slidesBox);
      else slidesBox.remove();
    },

    /** Put the divider where the state has it. @param {[string, string]} sides  Names of both. */
    divide([left, right]) {
      const { divide, how } = store.state;
      [names.left.textContent, names.right.textContent] = [left, right];
      twinBox.style.clipPath = how === "swipe" ? `inset(0 0 0 ${divide}%)` : "";
      divider.show(divide, left, right);
    },

    /** Show every engine's mask of a product. @param {{ left: Item, right: Item, masks: Mask[] }} loaded */
    showSlides({ left, right, masks }) {
      const { opacity, classes: drawn } = store.state;
      const { clientWidth: width, clientHeight: height } = frame;
      const known = classesOfAll(left, right).map(({ name }) => name);
      const classes = drawn && known.filter((name) => drawn.includes(name));
      slides.show(masks, { box: view.bounds(), width, height, opacity, classes });
    },

    /** The second map, where there is one. */
    twin: () => twin,

    /** Take everything away again. */
    clear() {
      dropTwin();
      divider.element.remove();
      slidesBox.remove();
      delete document.body.dataset.how;
    },
  };
}
