// Tiles of a mask with some classes left out: their entries of the palette made see-through.
//
// The tile server's PNGs hold class values and a palette. To change six bytes of each here makes
// a toggle show at once, from tiles that are there already, where other addresses would mean
// other tiles.

import { addProtocol } from "maplibre-gl";

import { hideEntries } from "./png.js";

const PROTOCOL = "classes";

/**
 * The template by which the map asks for tiles without some classes.
 *
 * @param {string} template
 * @param {number[]} values  Of the classes; without any the template stays as it is.
 */
export function withoutClasses(template, values) {
  return values.length ? `${PROTOCOL}://${values.join("-")}/${template}` : template;
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
