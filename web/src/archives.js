// Which of the files that vendor.js cut holds a tile of coasts and borders.

export const EARTH_MAX_ZOOM = 5;

/**
 * Name of the file that holds a tile: two zooms below one tile, or the whole world for the first.
 *
 * @param {string} tile  As `z/x/y`.
 */
export function archiveOf(tile) {
  const [z, x, y] = tile.split("/").map(Number);
  if (z < 2) return "world";
  const root = z - (z % 2) - 1;
  return [root, x >> (z - root), y >> (z - root)].join("-");
}

/**
 * Names of the files that a view needs, before any map has asked for a tile.
 *
 * @param {import("./types").Box} box  Its east may be beyond 180 degrees.
 * @param {number} zoom  Of the map.
 */
export function archivesOf([west, south, east, north], zoom) {
  const z = Math.min(EARTH_MAX_ZOOM, Math.max(0, Math.floor(zoom)));
  const [top, bottom] = [rowAt(north, z), rowAt(south, z)];
  const left = Math.floor(((west + 180) / 360) * 2 ** z);
  const right = Math.floor(((east + 180) / 360) * 2 ** z);
  const names = new Set();
  for (let x = left; x <= right; x += 1) {
    const turned = ((x % 2 ** z) + 2 ** z) % 2 ** z;
    for (let y = top; y <= bottom; y += 1) names.add(archiveOf(`${z}/${turned}/${y}`));
  }
  return names;
}

/** Row of the tile that holds a latitude. @param {number} latitude @param {number} z */
function rowAt(latitude, z) {
  const radians = (Math.min(85.05, Math.max(-85.05, latitude)) * Math.PI) / 180;
  const y = 0.5 - Math.asinh(Math.tan(radians)) / (2 * Math.PI);
  return Math.floor(y * 2 ** z);
}
