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

/**
 * @param {Item} item
 * @param {string[] | null} names
 * @param {Record<string, number[]>} colormap
 */
function classes(item, names, colormap) {
  return classesOf(item)
    .filter(({ name }) => !names || names.includes(name))
    .map(({ name, value, title, description, color_hint }) =>
      h(
        "span",
        { class: "entry" },
        h("i", {
          class: `swatch part-${name}`,
          style: `--class: ${asDrawn(colormap[value]) ?? `#${color_hint}`}`,
        }),
        title ?? description ?? name,
      ),
    );
}

/** A class may be see-through on the map; here it still has to be told from the others. @param {number[] | undefined} rgba */
const asDrawn = (rgba) =>
  rgba && `rgb(${rgba[0]} ${rgba[1]} ${rgba[2]} / ${Math.max(45, Math.round(rgba[3] / 2.55))}%)`;

/**
 * @param {HTMLElement} element
 * @param {object} shown
 * @param {Item | null} shown.mask  An Item whose classes the map draws; null where it draws none.
 * @param {string[] | null} shown.names  Classes that are drawn; null is all.
 * @param {Record<string, number[]>} shown.colormap  Colours by class value, as far as known.
 * @param {boolean} shown.footprints
 */
export function showLegend(element, { mask, names, colormap, footprints }) {
  const entries = mask ? classes(mask, names, colormap) : [];
  element.replaceChildren(...(footprints ? [scale()] : []), ...entries);
}
