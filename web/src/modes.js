// The views of the page, as links in its head: looking around, clear sky, compare, operate.

import { h } from "./dom.js";

/** @typedef {import("./types").Mode} Mode */
/** @typedef {import("./store.js").Store} Store */

/** Views that the page has, in the order of their links. @type {[Mode, string][]} */
const VIEWS = [
  ["map", "Map"],
  ["clear", "Clear sky"],
  ["compare", "Compare"],
  ["operate", "Operate"],
];

/** A product that is open is what somebody wants to compare. @param {Mode} mode @param {Store} store */
const there = (mode, { state }) => ({
  mode,
  item: mode === "compare" ? state.item : null,
  show: null,
});

/**
 * Fill the navigation; the view that is open is marked, and the body carries its name for the
 * style sheet.
 *
 * @param {HTMLElement} element
 * @param {Store} store
 */
export function createModes(element, store) {
  const links = VIEWS.map(([mode, title]) =>
    h(
      "a",
      {
        href: store.addressOf(there(mode, store)),
        "data-mode": mode,
        onclick: (/** @type {MouseEvent} */ event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          if (store.state.mode !== mode) store.change(there(mode, store), { push: true });
        },
      },
      title,
    ),
  );
  element.replaceChildren(...links);

  function show() {
    document.body.dataset.mode = store.state.mode;
    for (const link of links) {
      link.href = store.addressOf(there(/** @type {Mode} */ (link.dataset.mode), store));
      if (link.dataset.mode === store.state.mode) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  store.hear(show);
  show();
}
