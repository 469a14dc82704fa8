// What to do where nothing is found: the nearest day with products, all days, everywhere.

import { h } from "./dom.js";
import { shortDay } from "./facts.js";
import { daysBetween } from "./timeline.js";

/** @typedef {import("./types").Day} Day */
/** @typedef {import("./types").State} State */
/** @typedef {{ label: string, change: Partial<State> | null }} Way  Null: show all of the Collection. */
/** @typedef {{ words: string, ways: Way[] }} Ways */

const EVERYWHERE = { label: "Zoom to all products", change: null };

/**
 * The day with products that is nearest to a range of days.
 *
 * @param {Day[]} days @param {string | null} from @param {string | null} to
 */
export function nearestDay(days, from, to) {
  /** @param {string} day  Days between it and the range. */
  const distance = (day) => {
    if (from && day < from) return daysBetween(day, from);
    return to && day > to ? daysBetween(to, day) : 0;
  };
  const sorted = days.map(({ day }) => day).sort((a, b) => distance(a) - distance(b) || (a < b ? 1 : -1));
  return sorted[0] ?? null;
}

/**
 * Why nothing is listed, and ways on from there.
 *
 * @param {Day[]} days  On which there is something in view.
 * @param {Pick<State, "from" | "to" | "place">} state
 * @returns {Ways}
 */
export function waysOn(days, { from, to, place }) {
  const isLimited = Boolean(from || to);
  const all = { label: "Show all days", change: { from: null, to: null } };
  if (place) {
    return {
      words: isLimited ? "Nothing covers this place on these days." : "Nothing covers this place.",
      ways: [...(isLimited ? [all] : []), { label: "Show all places in view", change: { place: null } }],
    };
  }
  const day = isLimited && nearestDay(days, from, to);
  if (day) {
    return {
      words: "Nothing was sensed here on these days.",
      ways: [{ label: `Show ${shortDay(day)}, the nearest day`, change: { from: day, to: day } }, all],
    };
  }
  return {
    words: isLimited ? "Nothing was sensed here, on no day." : "Nothing was sensed here.",
    ways: [...(isLimited ? [all] : []), EVERYWHERE],
  };
}

/**
 * @param {HTMLElement} element
 * @param {(way: Way) => void} go
 */
export function createWays(element, go) {
  return {
    /** @param {Ways | null} ways */
    show(ways) {
      if (!ways) {
        element.replaceChildren();
        return;
      }
      const buttons = ways.ways.map((way) => h("button", { type: "button", onclick: () => go(way) }, way.label));
      element.replaceChildren(h("p", {}, ways.words), h("div", { class: "choices" }, ...buttons));
    },
  };
}
