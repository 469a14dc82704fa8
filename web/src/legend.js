// The legend on the map: the scale of footprints, or the classes of a mask.

import { h } from "./dom.js";
import { cloudStops } from "./palette.js";

/** @typedef {import("./types").ClassDescription} ClassDescription */

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
 * @param {ClassDescription[]} all
 * @param {string[] | null} names
 * @param {Record<string, number[]>} colormap
 */
function classes(all, names, colormap) {
  return all
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
 * @param {ClassDescription[]} shown.mask  Classes of the masks that the map draws.
 * @param {string[] | null} shown.names  Classes that are drawn; null is all.
 * @param {Record<string, number[]>} shown.colormap  Colours by class value, as far as known.
 * @param {boolean} shown.footprints
 */
export function showLegend(element, { mask, names, colormap, footprints }) {
  const entries = classes(mask, names, colormap);
  element.replaceChildren(...(footprints ? [scale()] : []), ...entries);
}
