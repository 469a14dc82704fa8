// One acquisition on the map, under the outline of the field.

import { forMap, mosaicTemplate, tileJson, tileTemplate, withQuery } from "../addresses.js";
import { fetchJson } from "../catalog.js";
import { skyWords } from "./ask.js";
import { dayOf } from "./series.js";

/**
 * @typedef {object} Wanted
 * @property {string} collection
 * @property {string} id  Of an Item.
 * @property {import("./series.js").Acquisition} [one]  What the Item is of, once that is known.
 * @property {number} opacity  Percent.
 */

const WHO = "The tile server";
const ZOOMS = { minzoom: 5, maxzoom: 14 };
/** The mask lets the ground be seen, however the state would have it. */
const MOST_OPACITY = 70;
/** @type {import("../types").Box} */
const WORLD = [-180, -85, 180, 85];

/**
 * @param {Pick<import("../views.js").Parts, "services" | "view">} parts
 * @param {(message: string) => void} tell
 */
export function createPicture({ services, view }, tell) {
  /** What the map was last asked to draw. */
  let drawn = "";

  /**
   * @param {Wanted} wanted
   * @param {string | null} day  Draw all of this day.
   * @param {string} key
   */
  async function draw({ collection, id, opacity }, day, key) {
    const item = /** @type {any} */ ({ id, collection, links: [] });
    /** @param {string} asset */
    const template = (asset) =>
      day
        ? withQuery(mosaicTemplate(services, collection, day, day), "assets", asset)
        : forMap(tileTemplate(services, item, asset));
    try {
      // Beyond its bounds an Item has no tiles, and to ask for them would be an error.
      const json = day ? null : await fetchJson(tileJson(services, item), { who: WHO });
      if (drawn !== key) return;
      const place = { ...ZOOMS, bounds: json?.bounds ?? WORLD };
      await view.showItem(null, {
        mask: { tiles: template("mask"), ...place },
        preview: { tiles: template("preview"), ...place },
        opacity: Math.min(opacity, MOST_OPACITY),
      });
    } catch (error) {
      if (drawn !== key) return;
      drawn = "";
      tell(skyWords(error));
    }
  }

  return {
    /** Show one, unless it is there. @param {Wanted | null} wanted */
    async show(wanted) {
      // A field on the edge of a tile: the other product of the pass shows, too.
      const day = wanted?.one && wanted.one.items.length > 1 ? dayOf(wanted.one) : null;
      const key = wanted ? `${wanted.collection} ${wanted.id} ${day}` : "nothing";
      if (key === drawn) return;
      drawn = key;
      if (wanted) await draw(wanted, day, key);
      else await view.showItem(null, null);
    },

    /** Show anew what is shown next, as others have drawn since. */
    forget() {
      drawn = "";
    },
  };
}
