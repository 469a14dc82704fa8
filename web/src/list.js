// The list of products in view: addresses that open one, newest first.

import { h } from "./dom.js";
import { classShare, clearShare, dayOf, percent, shortDay, tileOf } from "./facts.js";

/** @typedef {import("./types").ClassDescription} ClassDescription */
/** @typedef {import("./types").Item} Item */

/**
 * Shares of the classes as one bar.
 *
 * @param {Item} item
 * @param {ClassDescription[]} classes
 */
export function sharesBar(item, classes) {
  const parts = classes.flatMap(({ name, title, color_hint }) => {
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

/** @param {string} src */
const imageOf = (src) =>
  h("img", {
    src,
    alt: "",
    loading: "lazy",
    decoding: "async",
    onerror: (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).remove(),
  });

/**
 * @param {HTMLUListElement} list
 * @param {object} options
 * @param {(item: Item) => string} options.addressOf  Address of the page with an Item open.
 * @param {(item: Item) => void} options.open
 * @param {(item: Item | null) => void} options.point  The pointer or the focus is on a row.
 * @param {() => ClassDescription[]} options.classes  Of the masks that are listed.
 * @param {() => Promise<void>} options.more  Fetches what follows.
 */
export function createList(list, { addressOf, open, point, classes, more }) {
  /** @param {Item} item */
  function row(item) {
    const clear = clearShare(item);
    const thumbnail = item.assets.thumbnail?.href;
    const picture = h("span", { class: "thumbnail" });
    if (thumbnail) picture.append(imageOf(thumbnail));
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
        sharesBar(item, classes()),
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

  /** What was to be shown while nobody could see it. @type {{ items: Item[], rest: boolean } | null} */
  let waiting = null;
  const last = h("li", { class: "more" });
  last.append(
    h(
      "button",
      {
        type: "button",
        onclick: async () => {
          const count = rows().length;
          await more();
          rows()[count]?.focus();
        },
      },
      "Show more",
    ),
  );

  return {
    /** @param {Item[]} items @param {boolean} rest  Whether there are more. */
    show(items, rest) {
      if (!list.checkVisibility()) {
        waiting = { items, rest };
        return;
      }
      waiting = null;
      const focused = document.activeElement?.getAttribute("data-id");
      list.replaceChildren();
      list.scrollTop = 0;
      this.add(items, rest);
      if (focused) this.focus(focused);
    },

    /** @param {Item[]} items @param {boolean} rest */
    add(items, rest) {
      last.remove();
      list.append(...items.map(row));
      if (rest) list.append(last);
    },

    /** The list can be seen again. */
    reveal() {
      if (waiting) this.show(waiting.items, waiting.rest);
    },

    /** Put the focus on the row of an Item, if it is there. @param {string} id */
    focus(id) {
      rows()
        .find((link) => link.dataset.id === id)
        ?.focus({ preventScroll: false });
    },
  };
}
