// The days on which there is something where the map looks.

import { timelineAddress } from "./addresses.js";
import { fetchJson } from "./catalog.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Day} Day */
/** @typedef {import("./types").Services} Services */

/**
 * @param {Services} services
 * @param {(days: Day[]) => void} show
 */
export function createDays(services, show) {
  /** @type {AbortController | null} */
  let running = null;
  let asked = "";
  /** @type {Day[]} */
  let known = [];

  return {
    known: () => known,

    /** @param {string} collection @param {Box} box */
    async look(collection, box) {
      const address = timelineAddress(services, collection, box);
      if (address === asked) return;
      asked = address;
      running?.abort();
      const { signal } = (running = new AbortController());
      try {
        ({ days: known } = await fetchJson(address, { signal, who: "The tile server" }));
        show(known);
      } catch {
        // The map tells of a tile server that is away; the next move asks again.
        if (!signal.aborted) asked = "";
      }
    },
  };
}
