// Boxes that switch the classes of a mask on and off.

import { h } from "./dom.js";

/** @typedef {import("./types").ClassDescription} ClassDescription */

/**
 * @param {ClassDescription[]} all
 * @param {object} options
 * @param {string[] | null} options.drawn  Names of the classes that are on; null is all.
 * @param {(names: string[] | null) => void} options.change
 * @param {(name: string) => string} [options.share]  What stands beside a class.
 */
export function classToggles(all, { drawn, change, share = () => "" }) {
  /** @type {Map<string, HTMLInputElement>} */
  const boxes = new Map();

  function changed() {
    const wanted = all.map(({ name }) => name).filter((name) => boxes.get(name)?.checked);
    change(wanted.length === all.length ? null : wanted);
  }

  const rows = all.map(({ name, title, description, color_hint }) => {
    const box = h("input", {
      type: "checkbox",
      checked: !drawn || drawn.includes(name),
      onchange: changed,
    });
    boxes.set(name, box);
    return h(
      "label",
      { class: "class", title: description ?? "" },
      box,
      h("span", { class: `swatch part-${name}`, style: `--class: #${color_hint}` }),
      h("span", { class: "name" }, title ?? description ?? name),
      h("span", { class: "share" }, share(name)),
    );
  });
  const element = h("fieldset", { class: "classes" }, h("legend", {}, "Classes"), ...rows);
  return {
    element,
    /** @param {string[] | null} names */
    show(names) {
      for (const [name, box] of boxes) box.checked = !names || names.includes(name);
    },
  };
}

/**
 * Values of the classes that are switched off.
 *
 * @param {ClassDescription[]} all @param {string[] | null} drawn
 */
export const hiddenValues = (all, drawn) =>
  all.filter(({ name }) => drawn && !drawn.includes(name)).map(({ value }) => value);
