// What went wrong, in words, with a way on.

import { h } from "./dom.js";

/**
 * Show a message in an element, or take it away.
 *
 * @param {HTMLElement} element
 * @param {string | null} message
 * @param {{ label: string, act: () => void } | null} [way]  The way on.
 */
export function tell(element, message, way = null) {
  if (message === null) {
    element.replaceChildren();
    return;
  }
  const button = way && h("button", { type: "button", onclick: way.act }, way.label);
  element.replaceChildren(h("div", { class: "notice" }, h("p", {}, message), button));
}

/** @param {unknown} error */
export function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}
