// Tiles of a mask with some classes left out: their entries of the palette made see-through.
//
// The tile server's PNGs hold class values and a palette. To change six bytes of each here makes
// a toggle show at once, from tiles that are there already, where other addresses would mean
// other tiles.

import { addProtocol } from "maplibre-gl";

import { forMap, tileTemplate } from "./addresses.js";
import { classesOf } from "./facts.js";
import { hideEntries } from "./png.js";
import { hiddenValues } from "./toggles.js";

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Services} Services */

const PROTOCOL = "classes";

/**
 * The template by which the map asks for tiles without some classes.
 *
 * @param {string} template
 * @param {number[]} values  Of the classes; without any the template stays as it is.
 */
function withoutClasses(template, values) {
  return values.length ? `${PROTOCOL}://${values.join("-")}/${template}` : template;
}

/**
 * The template of an Item's mask as the page draws it.
 *
 * @param {Services} services
 * @param {Item} item
 * @param {string[] | null} drawn  Names of the classes that are on; null is all.
 */
export function maskTemplate(services, item, drawn) {
  const template = forMap(tileTemplate(services, item, "mask"));
  return withoutClasses(template, hiddenValues(classesOf(item), drawn));
}

/** Let maps ask for such tiles. */
export function serveClasses() {
  addProtocol(PROTOCOL, async ({ url }, { signal }) => {
    const [, values, address] = /^classes:\/\/([\d-]+)\/(.*)$/.exec(url) ?? [];
    const response = await fetch(address, { signal });
    if (!response.ok) {
      throw Object.assign(new Error(response.statusText), { status: response.status });
    }
    const png = await response.arrayBuffer();
    hideEntries(png, values.split("-").map(Number));
    return { data: png };
  });
}
