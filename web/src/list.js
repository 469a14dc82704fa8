// The list of products in view: addresses that open one, newest first.

import { h } from "./dom.js";
import { classesOf, classShare, clearShare, dayOf, percent, shortDay, tileOf } from "./facts.js";

/** @typedef {import("./types").Item} Item */

/** Rows made at once; the rest come when asked for. */
const ROWS = 60;

/**
 * Shares of the classes as one bar.
 *
 * @param {Item} item
 */
export function sharesBar(item) {
  const parts = classesOf(item).flatMap(({ name, title, color_hint }) => {
    const share = name === "missing" ? null : classShare(item, name);
    if (!share) return [];
    const label = `${title ?? name}: ${percent(share)}`;
    return [
      h("span", {
        class: `part part-${name}`,
        style: `flex-grow: ${share}; --class: #${color_hint}`,
        title: label,
      }),
    ];
  });
  return h("span", { class: "shares", "aria-hidden": "true" }, ...parts);
}

/**
 * @param {HTMLUListElement} list
 * @param {object} options
 * @param {(item: Item) => string} options.addressOf  Address of the page with an Item open.
 * @param {(item: Item) => void} options.open
 * @param {(item: Item | null) => void} options.point  The pointer or the focus is on a row.
 */
export function createList(list, { addressOf, open, point }) {
  /** @param {Item} item */
  function row(item) {
    const clear = clearShare(item);
    const thumbnail = item.assets.thumbnail?.href;
    const picture = h("span", { class: "thumbnail" });
    if (thumbnail) {
      picture.append(
        h("img", {
          src: thumbnail,
          alt: "",
          loading: "lazy",
          decoding: "async",
          onerror: (/** @type {Event} */ event) =>
            /** @type {HTMLElement} */ (event.target).remove(),
        }),
      );
    }
    const link = h(
      "a",
      {
        href: addressOf(item),
        class: "row",
        "data-id": item.id,
        onclick: (/** @type {MouseEvent} */ event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          open(item);
        },
        onmouseenter: () => point(item),
        onmouseleave: () => point(null),
        onfocus: () => point(item),
        onblur: () => point(null),
      },
      picture,
      h(
        "span",
        { class: "what" },
        h(
          "span",
          { class: "line" },
          h("strong", {}, shortDay(dayOf(item))),
          h("span", { class: "clear" }, clear === null ? "" : `${percent(clear)} clear`),
        ),
        h(
          "span",
          { class: "line soft" },
          `Tile ${tileOf(item)}`,
          h("span", {}, String(item.properties["nimbostac:level"] ?? "")),
        ),
        sharesBar(item),
      ),
    );
    return h("li", {}, link);
  }

  /** @returns {HTMLAnchorElement[]} */
  const rows = () => [...list.querySelectorAll("a")];

  list.addEventListener("keydown", (event) => {
    const all = rows();
    const here = all.findIndex((link) => link === document.activeElement);
    const next = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    all[next].focus();
  });

  /** What was to be shown while nobody could see it. @type {Item[] | null} */
  let waiting = null;

  return {
    /** @param {Item[]} items */
    show(items) {
      if (!list.checkVisibility()) {
        waiting = items;
        return;
      }
      waiting = null;
      const focused = document.activeElement?.getAttribute("data-id");
      let made = 0;
      const more = h("li", { class: "more" });
      function add() {
        const next = items.slice(made, made + ROWS).map(row);
        made += next.length;
        more.remove();
        list.append(...next);
        if (made < items.length) list.append(more);
        return next[0];
      }
      more.append(
        h(
          "button",
          { type: "button", onclick: () => add()?.querySelector("a")?.focus() },
          "Show more",
        ),
      );
      list.replaceChildren();
      add();
      if (focused) this.focus(focused);
    },

    /** The list can be seen again. */
    reveal() {
      if (waiting) this.show(waiting);
    },

    /** Put the focus on the row of an Item, if it is there. @param {string} id */
    focus(id) {
      rows()
        .find((link) => link.dataset.id === id)
        ?.focus({ preventScroll: false });
    },
  };
}
