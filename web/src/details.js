// One product: its mask's legend, facts, files, and the ways to use it elsewhere.

import { h, icon } from "./dom.js";
import {
  classesOf,
  classShare,
  clearShare,
  dayOf,
  factsOf,
  longDay,
  percent,
  platformName,
  size,
  text,
  tileOf,
} from "./facts.js";
import { sharesBar } from "./list.js";
import { openIn } from "./open-in.js";
import { classToggles } from "./toggles.js";

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Services} Services */
/** @typedef {import("./types").State} State */

/**
 * @typedef {object} Doing  What the page does when asked.
 * @property {() => void} close
 * @property {(item: Item) => void} open
 * @property {() => void} fit
 * @property {(opacity: number) => void} setOpacity
 * @property {(classes: string[] | null) => void} setClasses
 */

/** Order in which files are offered, and what they are to people. */
const FILES = /** @type {const} */ ([
  ["mask", "Mask", "GeoTIFF"],
  ["probabilities", "Probabilities", "GeoTIFF"],
  ["preview", "True colour", "GeoTIFF"],
  ["thumbnail", "Thumbnail", "PNG"],
  ["metadata", "Record", "JSON"],
]);

/** @param {State} state @param {Doing} doing */
function opacitySlider(state, doing) {
  const shown = h("output", { for: "opacity" }, `${state.opacity} %`);
  const slider = h("input", {
    id: "opacity",
    type: "range",
    min: "0",
    max: "100",
    step: "5",
    value: String(state.opacity),
    oninput: () => {
      shown.value = `${slider.value} %`;
      doing.setOpacity(Number(slider.value));
    },
  });
  return h(
    "div",
    { class: "opacity" },
    h("label", { for: "opacity" }, "Mask over true colour"),
    shown,
    slider,
  );
}

/** @param {Item} item */
function downloads(item) {
  const files = FILES.flatMap(([key, title, format]) => {
    const asset = item.assets[key];
    if (!asset) return [];
    const bytes = asset["file:size"];
    return [
      h(
        "a",
        { href: asset.href, download: "", class: key === "mask" ? "file main" : "file" },
        icon("download"),
        h("span", {}, title),
        h("span", { class: "soft" }, bytes ? `${format}, ${size(bytes)}` : format),
      ),
    ];
  });
  return h("section", {}, h("h3", {}, "Download"), h("div", { class: "files" }, ...files));
}

/** @param {Item} item */
function subtitle(item) {
  const platform = text(item, "platform");
  const parts = [
    `Tile ${tileOf(item)}`,
    platform && platformName(platform),
    text(item, "nimbostac:level"),
    text(item, "nimbostac:engine"),
  ];
  return parts.filter(Boolean).join(" \u00b7 ");
}

/** @param {"back" | "next"} way @param {string} label @param {Item | null} to @param {Doing} doing */
function step(way, label, to, doing) {
  const title = to ? `${label}: ${longDay(dayOf(to))}` : `${label}: none in view`;
  return h(
    "button",
    {
      type: "button",
      class: "quiet only",
      disabled: !to,
      onclick: () => to && doing.open(to),
      "aria-label": title,
      title,
    },
    icon(way),
  );
}

/**
 * Fill an element with the page of an Item.
 *
 * @param {HTMLElement} element
 * @param {object} options
 * @param {Services} options.services
 * @param {Item} options.item
 * @param {State} options.state
 * @param {Doing} options.doing
 */
export function showDetails(element, { services, item, state, doing }) {
  const facts = factsOf(item).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  const steps = h("span", { class: "steps" });
  const heading = h("h2", { tabIndex: -1 }, longDay(dayOf(item)));
  element.replaceChildren(
    h(
      "div",
      { class: "top" },
      h(
        "button",
        { type: "button", class: "quiet word", onclick: doing.close },
        icon("back"),
        "All products",
      ),
      steps,
      h(
        "button",
        { type: "button", class: "quiet only", onclick: doing.fit, "aria-label": "Zoom to it", title: "Zoom to it" },
        icon("fit"),
      ),
    ),
    heading,
    h("p", { class: "soft" }, subtitle(item)),
    h(
      "p",
      { class: "headline" },
      h("strong", {}, percent(clearShare(item))),
      " of the valid area is clear",
    ),
    sharesBar(item, classesOf(item)),
    classToggles(classesOf(item), {
      drawn: state.classes,
      change: doing.setClasses,
      share: (name) => percent(classShare(item, name)),
    }).element,
    opacitySlider(state, doing),
    downloads(item),
    openIn(services, item),
    h(
      "section",
      {},
      h("h3", {}, "Facts"),
      h("dl", { class: "facts" }, ...facts),
      h("p", { class: "soft product" }, item.id),
    ),
  );
  return {
    heading,
    /** @param {Item | null} earlier @param {Item | null} later  Masks of the same tile. */
    setNeighbours(earlier, later) {
      steps.replaceChildren(
        step("back", "Earlier mask of this place", earlier, doing),
        step("next", "Later mask of this place", later, doing),
      );
    },
  };
}
