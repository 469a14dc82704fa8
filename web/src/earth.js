// Vector tiles of coasts and borders, out of the small files that vendor.js cut.

import { addProtocol } from "maplibre-gl";

import { archiveOf, archivesOf } from "./archives.js";

/** @typedef {(tile: string) => ArrayBuffer} Archive  Gives the tile `z/x/y`, empty for open sea. */

export const EARTH_TILES = "earth://{z}/{x}/{y}";

/** @param {string} name @returns {Promise<Archive>} */
async function open(name) {
  const response = await fetch(new URL(`../vendor/earth/${name}.tiles`, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const bytes = await response.arrayBuffer();
  const start = 4 + new DataView(bytes).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, start - 4)));
  return (tile) => {
    const [offset, length] = index[tile] ?? [0, 0];
    return bytes.slice(start + offset, start + offset + length);
  };
}

/** @type {Map<string, Promise<Archive>>} */
const archives = new Map();

/** @param {string} name */
function opened(name) {
  const archive = archives.get(name) ?? open(name);
  archives.set(name, archive);
  // One that did not come is asked for again with the next tile.
  archive.catch(() => archives.delete(name));
  return archive;
}

/** Let maps ask for the tiles by `EARTH_TILES`. */
export function serveEarth() {
  addProtocol("earth", async ({ url }) => {
    const tile = url.slice("earth://".length);
    return { data: (await opened(archiveOf(tile)))(tile) };
  });
}

/**
 * Fetch what a view needs while the map's worker is still starting.
 *
 * @param {import("./types").Box} box @param {number} zoom
 */
export function fetchEarth(box, zoom) {
  for (const name of archivesOf(box, zoom)) void opened(name);
}
