// The backfills as a list, each with its progress.

import { h } from "../dom.js";
import { lineOf, number, STATES } from "./words.js";

/** @typedef {import("./types").Backfill} Backfill */

/** Shares of the states as one bar. @param {Backfill} backfill */
export function progressBar({ counts, total }) {
  const parts = STATES.map(([state, word]) => {
    const count = counts[state];
    const title = `${number(count)} ${word}`;
    const style = `flex-grow: ${count}`;
    return count ? h("span", { class: `portion is-${state}`, style, title }) : null;
  });
  return h("span", { class: "progress", "aria-hidden": "true" }, ...(total ? parts : []));
}

/** @param {Backfill} backfill */
export const stateMark = ({ state }) => h("span", { class: `state is-${state}` }, state);

/**
 * @param {HTMLElement} element
 * @param {object} options
 * @param {(id: string) => string} options.addressOf
 * @param {(id: string) => void} options.open
 */
export function createBackfillList(element, { addressOf, open }) {
  /** @param {Backfill} backfill @param {string | null} chosen */
  const row = (backfill, chosen) =>
    h(
      "li",
      {},
      h(
        "a",
        {
          href: addressOf(backfill.id),
          class: "backfill",
          "data-id": backfill.id,
          "aria-current": backfill.id === chosen ? "true" : null,
          onclick: (/** @type {MouseEvent} */ event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
            event.preventDefault();
            open(backfill.id);
          },
        },
        h(
          "span",
          { class: "line" },
          h("strong", {}, backfill.name || backfill.id),
          stateMark(backfill),
        ),
        h("span", { class: "line soft" }, lineOf(backfill)),
        progressBar(backfill),
      ),
    );

  return {
    /** @param {Backfill[]} backfills @param {string | null} chosen */
    show(backfills, chosen) {
      const focused = element.contains(document.activeElement)
        ? document.activeElement?.getAttribute("data-id")
        : null;
      element.replaceChildren(...backfills.map((one) => row(one, chosen)));
      if (!backfills.length) element.append(h("li", { class: "soft none" }, "No backfills yet."));
      const again = focused && element.querySelector(`[data-id="${CSS.escape(focused)}"]`);
      if (again instanceof HTMLElement) again.focus();
    },
  };
}
