// What the administration tells, as people read it.

/** @typedef {import("./types").Backfill} Backfill */
/** @typedef {import("./types").Counts} Counts */

const WHEN = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** @param {string} time  RFC 3339. */
export const moment = (time) => WHEN.format(new Date(time));

/** A whole number, its thousands apart. @param {number} value */
export const number = (value) => Math.round(value).toLocaleString("en");

/** @param {number} count @param {string} one */
export const many = (count, one) => `${number(count)} ${one}${count === 1 ? "" : "s"}`;

/**
 * A time span in its two largest units.
 *
 * @param {number | null} seconds
 * @returns {string}
 */
export function duration(seconds) {
  if (seconds === null) return "unknown";
  if (seconds < 1) return "no time";
  const units = /** @type {const} */ ([
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ]);
  const first = units.findIndex(([, size]) => seconds >= size);
  const [name, size] = units[first];
  const [below, part] = units[first + 1] ?? ["", 1];
  // Rounded once, by the smaller unit, or 59.9 min would read 59 min 60 s.
  const whole = Math.round(seconds / part) * part;
  if (first && whole >= units[first - 1][1]) return duration(whole);
  const rest = Math.round((whole % size) / part);
  const head = `${Math.floor(whole / size)} ${name}`;
  return below && rest ? `${head} ${rest} ${below}` : head;
}

/** @param {number} value */
export function bytes(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
  const step = value < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** step;
  return `${step && scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${units[step]}`;
}

/** States of products in the order of the bar, with what they are to people. */
export const STATES = /** @type {[keyof Counts, string][]} */ ([
  ["done", "masked"],
  ["running", "running"],
  ["queued", "queued"],
  ["due", "waiting"],
  ["held", "held"],
  ["aborted", "aborted"],
  ["failed", "failed"],
]);

/** How far a backfill is, in a line. @param {Backfill} backfill */
export function lineOf({ state, counts, total, found, eta_s, rate_per_hour, error }) {
  if (state === "failed") return error ?? "Its products could not be listed.";
  const parts = [`${number(counts.done)} of ${many(total || found, "product")}`];
  if (counts.failed) parts.push(`${number(counts.failed)} failed`);
  if (state === "running" || state === "listing") {
    if (rate_per_hour) parts.push(`${number(rate_per_hour)} an hour`);
    if (eta_s) parts.push(`${duration(eta_s)} left`);
  }
  return parts.join(" · ");
}

/** What may be done with a backfill now. @param {Backfill} backfill */
export function stepsOf({ state, counts }) {
  /** @type {("pause" | "resume" | "retry" | "abort")[]} */
  const steps = [];
  const moves = state === "listing" || state === "running";
  if (moves) steps.push("pause");
  if (state === "paused") steps.push("resume");
  if (counts.failed || counts.aborted) steps.push("retry");
  if (moves || state === "paused") steps.push("abort");
  return steps;
}

/** Where a backfill looks for products. @param {Backfill["spec"]} spec */
export function sourceOf({ source }) {
  if (!source) return "";
  if (source.address) return source.address;
  const names = source.names_in_all ?? source.names?.length ?? 0;
  return many(names, "name");
}

/** Which products it wants. @param {Backfill["spec"]} spec */
export function wantedOf({ filters = {} }) {
  const { start, end, tiles, bbox, geometry, level, baseline_min, max_cloud } = filters;
  const parts = [
    start || end ? `${start ?? "…"} to ${end ?? "…"}` : null,
    tiles?.length ? `tiles ${tiles.slice(0, 6).join(", ")}${tiles.length > 6 ? " …" : ""}` : null,
    bbox ? `box ${bbox.join(", ")}` : null,
    geometry ? "within a polygon" : null,
    level ?? null,
    baseline_min ? `baseline ${baseline_min} or newer` : null,
    typeof max_cloud === "number" ? `at most ${max_cloud} % cloud` : null,
  ];
  return parts.filter(Boolean).join(" · ") || "every product";
}
