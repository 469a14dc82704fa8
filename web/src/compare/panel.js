// The panel of a comparison: what is on its sides, how they are shown, and how far they agree.

import { h } from "../dom.js";
import { shortDay } from "../facts.js";
import { tell } from "../notices.js";
import { classToggles } from "../toggles.js";
import { titlesOf } from "./ask.js";

/** @typedef {import("./ask.js").Mask} Mask */
/** @typedef {import("./ask.js").Shade} Shade */
/** @typedef {import("./sides.js").Side} Side */
/** @typedef {import("../types").ClassDescription} ClassDescription */
/** @typedef {import("../types").Way} Way */

/**
 * @typedef {object} Doing
 * @property {(way: Way) => void} setWay
 * @property {(collection: string, item: string) => void} setLeft
 * @property {(against: string | null) => void} setRight
 * @property {() => void} swap
 * @property {(opacity: number) => void} setOpacity
 * @property {(classes: string[] | null) => void} setClasses
 * @property {(within: "whole" | "view") => void} setWithin
 */

/** @type {[Way, string][]} */
const WAYS = [
  ["swipe", "Swipe"],
  ["side", "Side by side"],
  ["slides", "Slides"],
  ["agreement", "Agreement"],
];

/** @param {string} datetime */
const dateWords = (datetime) => shortDay(datetime.slice(0, 10));

/** @param {HTMLElement} element @param {Doing} doing */
export function createPanel(element, doing) {
  const ways = WAYS.map(([way, title]) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name: "way", value: way, onchange: () => doing.setWay(way) }),
      h("span", {}, title),
    ),
  );
  const engine = h("select", { id: "left-engine", onchange: () => choose(engine) });
  const date = h("select", { id: "left-date", onchange: () => choose(date) });
  const right = h("select", {
    id: "right",
    onchange: () => doing.setRight(right.value === "" ? null : right.value),
  });
  const swap = h("button", { type: "button", onclick: doing.swap }, "Swap");
  const output = h("output", { for: "compare-opacity" });
  const slider = h("input", {
    id: "compare-opacity",
    type: "range",
    min: "0",
    max: "100",
    step: "5",
    oninput: () => doing.setOpacity(Number(slider.value)),
  });
  const overWhat = h("label", { for: "compare-opacity" });
  const opacity = h(
    "div",
    { class: "opacity" },
    overWhat,
    output,
    slider,
  );
  const classes = h("div", { class: "chosen" });
  /** @type {ReturnType<typeof classToggles> | null} */
  let toggles = null;
  const trouble = h("div", { class: "trouble", role: "alert" });
  const within = h(
    "select",
    {
      id: "within",
      onchange: () => doing.setWithin(within.value === "view" ? "view" : "whole"),
    },
    h("option", { value: "whole" }, "all that both cover"),
    h("option", { value: "view" }, "what the map shows"),
  );
  const numbers = h("div", { "aria-live": "polite" });
  const shades = h("ul", { class: "shades", "aria-label": "Legend of the agreement" });
  const agreement = h(
    "section",
    { class: "agreement", hidden: true },
    h("h3", {}, "Agreement"),
    h("p", { class: "ask" }, h("label", { for: "within" }, "Counted in"), within),
    shades,
    numbers,
  );
  element.replaceChildren(
    h("h2", {}, "Compare"),
    h("fieldset", { class: "ways-of" }, h("legend", { class: "away" }, "How to compare"), ...ways),
    h(
      "div",
      { class: "sides" },
      h("span", { class: "letter", "aria-hidden": "true" }, "A"),
      h("label", { for: "left-engine", class: "away" }, "Left: masks by"),
      engine,
      h("label", { for: "left-date", class: "away" }, "Left: date"),
      date,
      h("span", { class: "letter", "aria-hidden": "true" }, "B"),
      h("label", { for: "right", class: "away" }, "Right"),
      right,
      swap,
    ),
    opacity,
    classes,
    trouble,
    agreement,
  );

  /** @param {HTMLSelectElement} select */
  function choose(select) {
    const [collection, item] = select.value.split("/");
    doing.setLeft(collection, item);
  }

  /** @param {Pick<Shade, "title" | "color">} shade */
  const entry = ({ title, color }) =>
    h("li", {}, h("i", { class: "swatch", style: `--class: ${color}` }), title);

  /** @param {string} value @param {string} title */
  const option = (value, title) => h("option", { value }, title);

  return {
    numbers,

    /** @param {Way} way @param {boolean} areMasks */
    showWay(way, areMasks) {
      for (const label of ways) {
        const input = /** @type {HTMLInputElement} */ (label.firstElementChild);
        input.checked = input.value === way;
      }
      const isAgreement = way === "agreement" && areMasks;
      overWhat.textContent = `${isAgreement ? "Agreement" : "Masks"} over true colour`;
      classes.hidden = isAgreement;
      agreement.hidden = way !== "agreement" || !areMasks;
    },

    /**
     * @param {Mask[]} masks  Of the scene.
     * @param {{ item: string, datetime: string }[]} dates  Of the left Collection, newest first.
     * @param {{ left: Side, right: Side }} sides
     * @param {string} against
     */
    offer(masks, dates, { left, right: other }, against) {
      const titles = titlesOf(masks);
      /** @param {Mask} mask */
      const titleOf = ({ collection }) => titles.get(collection) ?? collection;
      engine.replaceChildren(
        ...masks.map((mask) => option(`${mask.collection}/${mask.item}`, titleOf(mask))),
      );
      engine.value = `${left.collection}/${left.item}`;
      date.replaceChildren(
        ...dates.map(({ item, datetime }) => option(`${left.collection}/${item}`, dateWords(datetime))),
      );
      date.value = `${left.collection}/${left.item}`;
      const engines = masks
        .filter((mask) => mask.collection !== left.collection)
        .map((mask) =>
          option(
            mask.item === left.item ? mask.collection : `${mask.collection}/${mask.item}`,
            titleOf(mask),
          ),
        );
      const others = dates
        .filter(({ item }) => item !== left.item)
        .map(({ item, datetime }) => option(`${left.collection}/${item}`, dateWords(datetime)));
      const groups = [
        /** @type {const} */ (["The same product by", engines]),
        /** @type {const} */ (["The same engine on", others]),
      ];
      right.replaceChildren(
        option("", "True colour"),
        ...groups.flatMap(([label, options]) =>
          options.length ? [h("optgroup", { label }, ...options)] : [],
        ),
      );
      right.value = against;
      if (right.value !== against) {
        // Of another engine on another date, as an address may have it.
        right.append(option(against, other.item));
        right.value = against;
      }
      swap.disabled = other.picture === "preview";
    },

    /** @param {number} value */
    showOpacity(value) {
      slider.value = String(value);
      output.value = `${value} %`;
    },

    /** @param {ClassDescription[]} all @param {string[] | null} drawn */
    offerClasses(all, drawn) {
      toggles = classToggles(all, { drawn, change: doing.setClasses });
      classes.replaceChildren(toggles.element);
    },

    /** @param {string[] | null} drawn */
    showClasses: (drawn) => toggles?.show(drawn),

    /** @param {Shade[]} all */
    showShades: (all) => shades.replaceChildren(...all.map(entry)),

    /** @param {string | null} message @param {{ label: string, act: () => void } | null} [way] */
    tell: (message, way) => tell(trouble, message, way),
  };
}
