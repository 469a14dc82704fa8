// What an Item says of itself, as people read it.

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").ClassDescription} ClassDescription */
/** @typedef {import("./types").Collection} Collection */

/** @param {Item} item @param {string} name @returns {number | null} */
function number(item, name) {
  const value = item.properties[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** @param {Item} item @param {string} name @returns {string | null} */
export function text(item, name) {
  const value = item.properties[name];
  return value === undefined || value === null || value === "" ? null : String(value);
}

/** Day of sensing, UTC. @param {Item} item */
export function dayOf(item) {
  return item.properties.datetime.slice(0, 10);
}

/** Share of cloud, 0 to 1. @param {Item} item */
export function cloudShare(item) {
  const cover = number(item, "eo:cloud_cover");
  return cover === null ? null : cover / 100;
}

/** Share of clear sky, 0 to 1. @param {Item} item */
export function clearShare(item) {
  const clear = number(item, "nimbostac:clear");
  if (clear !== null) return clear;
  const cloud = cloudShare(item);
  return cloud === null ? null : 1 - cloud;
}

/** MGRS tile, such as `33UUU`. @param {Item} item */
export function tileOf(item) {
  const code = text(item, "grid:code");
  if (code) return code.replace(/^MGRS-/, "");
  return /_T(\d{2}[A-Z]{3})_/.exec(item.id)?.[1] ?? "";
}

/**
 * Share of a class, 0 to 1: of what is valid, or of everything for what is missing.
 *
 * @param {Item} item
 * @param {string} name
 */
export function classShare(item, name) {
  return number(item, `nimbostac:${name}`);
}

/**
 * Classes of the mask that can be drawn, as the Item lists them.
 *
 * @param {Item} item
 */
export const classesOf = (item) => drawn(item.assets.mask?.["classification:classes"]);

/** The same, as its Collection lists them. @param {Collection | null} collection */
export const classesIn = (collection) =>
  drawn(collection?.item_assets?.mask?.["classification:classes"]);

/** @param {ClassDescription[]} all */
const drawn = (all = []) => all.filter((one) => one.name !== "no_data" && one.color_hint);

/** @param {number | null} share  0 to 1. */
export function percent(share) {
  if (share === null) return "–";
  const value = share * 100;
  if (value > 0 && value < 1) return "<1 %";
  if (value > 99 && value < 100) return ">99 %";
  return `${Math.round(value)} %`;
}

/**
 * Made once, and not before a day is written: a formatter costs more than a thousand of these.
 *
 * @type {Map<string, Intl.DateTimeFormat>}
 */
const formats = new Map();

/** @param {"long" | "short"} month @param {string} day */
function written(month, day) {
  const format =
    formats.get(month) ??
    new Intl.DateTimeFormat("en-GB", { day: "numeric", month, year: "numeric", timeZone: "UTC" });
  formats.set(month, format);
  return format.format(new Date(day));
}

/** @param {string} day  `YYYY-MM-DD`. */
export const longDay = (day) => written("long", day);

/** @param {string} day  `YYYY-MM-DD`. */
export const shortDay = (day) => written("short", day);

/** @param {string} time  RFC 3339. */
export function clock(time) {
  return `${new Date(time).toISOString().slice(11, 19)} UTC`;
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `sentinel-2a` as ESA writes it. @param {string} platform */
export function platformName(platform) {
  return platform.replace(/^sentinel-(\d)(\w)$/, (_, mission, unit) => {
    return `Sentinel-${mission}${unit.toUpperCase()}`;
  });
}

/**
 * Names and values of an Item for its page; what it does not say is left out.
 *
 * @param {Item} item
 * @returns {[string, string][]}
 */
export function factsOf(item) {
  const engine = [text(item, "nimbostac:engine"), text(item, "nimbostac:engine_version")];
  const orbit = number(item, "sat:relative_orbit");
  const sun = number(item, "view:sun_elevation");
  const missing = number(item, "nimbostac:missing");
  const epsg = text(item, "proj:code");
  /** @type {[string, string | null][]} */
  const facts = [
    ["Sensed", `${longDay(dayOf(item))}, ${clock(item.properties.datetime)}`],
    ["Satellite", text(item, "platform") && platformName(text(item, "platform") ?? "")],
    ["Level", text(item, "nimbostac:level")],
    ["Tile", tileOf(item) || null],
    ["Orbit", orbit === null ? null : `R${String(orbit).padStart(3, "0")}`],
    ["Baseline", text(item, "nimbostac:baseline")],
    ["Engine", engine.filter(Boolean).join(" ") || null],
    ["Sun", sun === null ? null : `${sun.toFixed(1)}° above the horizon`],
    ["Projection", epsg],
    ["Missing", missing ? percent(missing) : null],
    ["Masked", text(item, "created") && shortDay((text(item, "created") ?? "").slice(0, 10))],
  ];
  return facts.flatMap(([name, value]) => (value ? [[name, value]] : []));
}
