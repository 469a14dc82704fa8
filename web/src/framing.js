// Which part of the world a map of some size shows, worked out before there is a map.

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").View} View */
/** @typedef {{ width: number, height: number }} Size  Pixels. */
/** @typedef {{ top: number, right: number, bottom: number, left: number }} Padding */

/** Of the world at zoom 0. */
const WORLD_PX = 512;
const MAX_LATITUDE = 85.051129;

/** Fractions of the world's width from its west, and of its height from its north. */
/** @param {number} longitude */
const columnOf = (longitude) => (longitude + 180) / 360;

/** @param {number} latitude */
function rowOf(latitude) {
  const radians = (Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, latitude)) * Math.PI) / 180;
  return 0.5 - Math.asinh(Math.tan(radians)) / (2 * Math.PI);
}

/** @param {number} column */
const longitudeAt = (column) => column * 360 - 180;

/** @param {number} row */
const latitudeAt = (row) => (Math.atan(Math.sinh((0.5 - row) * 2 * Math.PI)) * 180) / Math.PI;

/**
 * The nearest view of a box with room around it.
 *
 * @param {Box} box  Its east may be beyond 180 degrees.
 * @param {Size} size
 * @param {{ padding: Padding, maxZoom: number }} room
 * @returns {View}
 */
export function framed([west, south, east, north], { width, height }, { padding, maxZoom }) {
  const [left, right] = [columnOf(west), columnOf(east)];
  const [top, bottom] = [rowOf(north), rowOf(south)];
  const across = Math.max(1, width - padding.left - padding.right) / (right - left);
  const down = Math.max(1, height - padding.top - padding.bottom) / (bottom - top);
  const zoom = Math.min(maxZoom, Math.max(0, Math.log2(Math.min(across, down) / WORLD_PX)));
  const world = WORLD_PX * 2 ** zoom;
  return {
    longitude: longitudeAt((left + right) / 2 + (padding.right - padding.left) / 2 / world),
    latitude: latitudeAt((top + bottom) / 2 + (padding.bottom - padding.top) / 2 / world),
    zoom,
  };
}

/** What a view shows; its east may be beyond 180 degrees. @param {View} view @param {Size} size @returns {Box} */
export function seen({ longitude, latitude, zoom }, { width, height }) {
  const world = WORLD_PX * 2 ** zoom;
  const [column, row] = [columnOf(longitude), rowOf(latitude)];
  const [across, down] = [width / 2 / world, height / 2 / world];
  return [
    longitudeAt(column - across),
    latitudeAt(Math.min(1, row + down)),
    longitudeAt(column + across),
    latitudeAt(Math.max(0, row - down)),
  ];
}
