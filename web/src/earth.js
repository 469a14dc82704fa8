// Vector tiles of coasts and borders, out of the two files that vendor.sh cut.

import { addProtocol } from "maplibre-gl";

/** @typedef {(tile: string) => ArrayBuffer} Archive  Gives the tile `z/x/y`, empty for open sea. */

/** Zoom from which tiles are in the second file, which most visits to the whole globe need not. */
const FINE_ZOOM = 4;
export const EARTH_TILES = "earth://{z}/{x}/{y}";
export const EARTH_MAX_ZOOM = 5;

/** @param {string} name @returns {Promise<Archive>} */
async function open(name) {
  const response = await fetch(new URL(`../vendor/${name}`, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const bytes = await response.arrayBuffer();
  const start = 4 + new DataView(bytes).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, start - 4)));
  return (tile) => {
    const [offset, length] = index[tile] ?? [0, 0];
    return bytes.slice(start + offset, start + offset + length);
  };
}

/** Let maps ask for the tiles by `EARTH_TILES`. */
export function serveEarth() {
  /** @type {Map<string, Promise<Archive>>} */
  const archives = new Map();
  addProtocol("earth", async ({ url }) => {
    const tile = url.slice("earth://".length);
    const name = parseInt(tile, 10) < FINE_ZOOM ? "earth-coarse.tiles" : "earth-fine.tiles";
    const archive = archives.get(name) ?? open(name);
    archives.set(name, archive);
    return { data: (await archive)(tile) };
  });
}
