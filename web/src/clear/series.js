// What the tile server tells of a polygon, acquisition by acquisition, and what follows from it.

/**
 * @typedef {object} Acquisition
 * @property {string} datetime
 * @property {string} collection
 * @property {string | null} acquisition
 * @property {number | null} clear  Shares of what the acquisition covers, 0 to 1.
 * @property {number | null} cloud_shadow
 * @property {number | null} semi_transparent
 * @property {number | null} cloud
 * @property {number | null} missing
 * @property {number} coverage  Share of the polygon, 0 to 1.
 * @property {number} error
 * @property {string[]} items
 */

/** @typedef {{ day: string, best: Acquisition }} Day */

/** Classes from the ground up, as they are stacked. */
export const STACK = /** @type {const} */ ([
  "clear",
  "cloud_shadow",
  "semi_transparent",
  "cloud",
  "missing",
]);

const COLUMNS = /** @type {const} */ ([
  "datetime",
  "collection",
  "acquisition",
  ...STACK,
  "coverage",
  "error",
  "items",
]);

/** @param {Acquisition} one */
export const dayOf = (one) => one.datetime.slice(0, 10);

/** Share of the whole polygon that was seen clear. @param {Acquisition} one */
export const clearSeen = (one) => (one.clear ?? 0) * one.coverage;

/** @param {Acquisition} one @param {number} least  Per cent. */
export const isClear = (one, least) => one.clear !== null && one.clear * 100 >= least;

/**
 * The acquisition of each day that saw most of the polygon clear.
 *
 * @param {Acquisition[]} acquisitions
 * @returns {Day[]}  By time.
 */
export function bestOfDays(acquisitions) {
  /** @type {Map<string, Acquisition>} */
  const best = new Map();
  for (const one of acquisitions) {
    const known = best.get(dayOf(one));
    if (!known || clearSeen(one) > clearSeen(known)) best.set(dayOf(one), one);
  }
  return [...best].sort().map(([day, one]) => ({ day, best: one }));
}

/**
 * Those that are clear enough, the one that saw most of the polygon clear first, the latest of equals.
 *
 * @param {Acquisition[]} acquisitions
 * @param {number} least  Per cent.
 */
export function clearest(acquisitions, least) {
  return acquisitions
    .filter((one) => isClear(one, least))
    .sort((a, b) => clearSeen(b) - clearSeen(a) || b.datetime.localeCompare(a.datetime));
}

/** @param {unknown} value */
function cell(value) {
  const text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The table that the tile server writes, too (RFC 4180). @param {Acquisition[]} acquisitions */
export function csvOf(acquisitions) {
  const rows = acquisitions.map((one) => COLUMNS.map((name) => cell(one[name])).join(","));
  return [COLUMNS.join(","), ...rows, ""].join("\r\n");
}
