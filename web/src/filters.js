// The form above the list: whose masks, which days, and at which place.

import { h, icon } from "./dom.js";

/** @typedef {import("./types").Collection} Collection */
/** @typedef {import("./types").State} State */
/** @typedef {import("./store.js").Store} Store */

/** @param {number} value @param {string} plus @param {string} minus */
const degrees = (value, plus, minus) => `${Math.abs(value).toFixed(3)}° ${value < 0 ? minus : plus}`;

/** Engine and level, which is what tells Collections apart. @param {Collection} collection */
function nameOf({ id, title, summaries }) {
  const engine = summaries?.["nimbostac:engine"]?.[0];
  const level = summaries?.["nimbostac:level"]?.[0];
  return engine && level ? `${engine}, Level-${level.replace("L", "")}` : (title ?? id);
}

/**
 * @param {object} parts
 * @param {HTMLSelectElement} parts.select
 * @param {HTMLInputElement} parts.from
 * @param {HTMLInputElement} parts.to
 * @param {HTMLElement} parts.chips
 * @param {Store} store
 */
export function createFilters({ select, from, to, chips }, store) {
  select.addEventListener("change", () => {
    store.change({ collection: select.value, item: null }, { push: true });
  });
  for (const input of [from, to]) {
    input.addEventListener("change", () => {
      const days = [from.value || null, to.value || null];
      if (days[0] && days[1] && days[0] > days[1]) days.reverse();
      store.change({ from: days[0], to: days[1] }, { push: true });
    });
  }

  return {
    /** @param {Collection[]} collections */
    offer(collections) {
      select.replaceChildren(
        ...collections.map((one) => h("option", { value: one.id }, nameOf(one))),
      );
      if (!collections.length) select.append(h("option", {}, "Nothing yet"));
      select.disabled = collections.length === 0;
    },

    /** @param {State} state @param {string | null} collection */
    show(state, collection) {
      if (collection) select.value = collection;
      from.value = state.from ?? "";
      to.value = state.to ?? "";
      chips.replaceChildren();
      if (!state.place) return;
      const [longitude, latitude] = state.place;
      const words = `At ${degrees(latitude, "N", "S")}, ${degrees(longitude, "E", "W")}`;
      chips.append(
        h(
          "button",
          {
            type: "button",
            class: "chip",
            "aria-label": `${words}: show everything again`,
            onclick: () => store.change({ place: null }, { push: true }),
          },
          words,
          icon("close"),
        ),
      );
    },
  };
}
