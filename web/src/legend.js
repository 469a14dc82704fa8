// The legend on the map: the scale of footprints, or the classes of a mask.

import { h } from "./dom.js";
import { classesOf } from "./facts.js";
import { cloudStops } from "./palette.js";

/** @typedef {import("./types").Item} Item */

function scale() {
  const stops = cloudStops().map(({ share, color }) => `${color} ${share * 100}%`);
  return h(
    "div",
    { class: "scale" },
    h("span", {}, "Clear"),
    h("i", { style: `background: linear-gradient(to right, ${stops.join(", ")})` }),
    h("span", {}, "Cloudy"),
  );
}

/** @param {Item} item @param {string[] | null} names */
function classes(item, names) {
  return classesOf(item)
    .filter(({ name }) => !names || names.includes(name))
    .map(({ name, title, description, color_hint }) =>
      h(
        "span",
        { class: "entry" },
        h("i", { class: `swatch part-${name}`, style: `--class: #${color_hint}` }),
        title ?? description ?? name,
      ),
    );
}

/**
 * @param {HTMLElement} element
 * @param {object} shown
 * @param {Item | null} shown.mask  An Item whose classes the map draws; null where it draws none.
 * @param {string[] | null} shown.names  Classes that are drawn; null is all.
 * @param {boolean} shown.footprints
 */
export function showLegend(element, { mask, names, footprints }) {
  element.replaceChildren(...(footprints ? [scale()] : []), ...(mask ? classes(mask, names) : []));
}
