// The masks of a Collection, drawn together where the map is near enough to see them.

import { mosaicTemplate } from "./addresses.js";

/** Zoom of the map from which they are drawn. */
export const MASK_ZOOM = 8;
/** @type {import("./types").Box} */
const EVERYWHERE = [-180, -85, 180, 85];

/**
 * What of them the state shows; views that draw masks of their own show none.
 *
 * @param {import("./types").Services} services
 * @param {string | null} collection
 * @param {import("./types").State} state
 * @returns {import("./pictures.js").Tiles | null}
 */
export function mosaicOf(services, collection, { mode, from, to, item }) {
  if (!collection || item || mode === "clear" || mode === "compare") return null;
  const tiles = mosaicTemplate(services, collection, from, to);
  return { tiles, minzoom: MASK_ZOOM, maxzoom: 13, bounds: EVERYWHERE };
}
