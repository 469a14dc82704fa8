// Colours that mean something: cloud share from azure to slate, and the ground of the map.

/** @typedef {{ ocean: string, land: string, coast: string, border: string, label: string, halo: string, grid: string, accent: string }} Ground */

/** Azure is clear sky, slate is overcast: told apart by saturation, so by everyone. */
const SHARES = [
  [0, [24, 134, 240]],
  [0.35, [86, 150, 206]],
  [0.7, [114, 142, 168]],
  [1, [108, 117, 127]],
];

/** @type {Record<"light" | "dark", Ground>} */
const GROUNDS = {
  light: {
    ocean: "#cdd9e1",
    land: "#ebebe5",
    coast: "#9fb0bb",
    border: "#bdb9ac",
    label: "#5f6a73",
    halo: "#ebebe5",
    grid: "#78909f",
    accent: "#0b5fc0",
  },
  dark: {
    ocean: "#0c1218",
    land: "#1a222a",
    coast: "#3a4854",
    border: "#323d47",
    label: "#8797a5",
    halo: "#151c23",
    grid: "#4d6172",
    accent: "#6cb4ff",
  },
};

/** @param {"light" | "dark"} theme */
export const groundOf = (theme) => GROUNDS[theme];

/** Colour of a share of cloud, 0 to 1. @param {number | null} share */
export function cloudColor(share) {
  if (share === null) return "rgb(150, 150, 150)";
  const at = Math.min(1, Math.max(0, share));
  const next = Math.max(
    1,
    SHARES.findIndex(([stop]) => /** @type {number} */ (stop) >= at),
  );
  const [[low, from], [high, to]] = /** @type {[number, number[]][]} */ (
    SHARES.slice(next - 1, next + 1)
  );
  const part = (at - low) / (high - low);
  const mixed = from.map((value, index) => Math.round(value + (to[index] - value) * part));
  return `rgb(${mixed.join(", ")})`;
}

/** The scale as stops of a gradient: share and colour. */
export function cloudStops() {
  return SHARES.map(([share]) => ({
    share: /** @type {number} */ (share),
    color: cloudColor(/** @type {number} */ (share)),
  }));
}
