// The state of the page, and the address that holds all of it.

/** @typedef {import("./types").State} State */
/** @typedef {import("./types").View} View */

/** @type {Readonly<State>} */
export const EMPTY = Object.freeze({
  mode: "map",
  show: null,
  collection: null,
  item: null,
  from: null,
  to: null,
  place: null,
  view: null,
  opacity: 85,
  classes: null,
  area: null,
  least: 90,
  share: 95,
  pick: null,
  how: "swipe",
  against: null,
  divide: 50,
});

/** What the page is used for at the moment; each has a link in its head. */
export const MODES = /** @type {const} */ (["map", "clear", "compare", "operate"]);

/** Ways to compare two pictures. */
export const WAYS = /** @type {const} */ (["swipe", "side", "slides", "agreement"]);

const AREA = /^[\w.~*-]+$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** @param {string | undefined} text */
function readDay(text) {
  if (!text || !DAY.test(text)) return null;
  const time = Date.parse(text);
  // A day such as 30 February comes back as another one.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? null : text;
}

/** @param {string | null} text @param {number} count */
function readNumbers(text, count) {
  const numbers = (text ?? "").split("/").map((part) => (part.trim() ? Number(part) : NaN));
  return numbers.length === count && numbers.every(Number.isFinite) ? numbers : null;
}

/** @param {string | null} text @param {number} otherwise */
function readPercent(text, otherwise) {
  const value = readNumbers(text, 1);
  return value ? Math.min(100, Math.max(0, Math.round(value[0]))) : otherwise;
}

/** @param {number} latitude @param {number} longitude */
const onEarth = (latitude, longitude) => Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;

/**
 * Read the query part of an address. What cannot be read is as if it were not there.
 *
 * @param {string} query
 * @returns {State}
 */
export function readState(query) {
  const values = new URLSearchParams(query);
  const [from, to] = (values.get("days") ?? "").split("/");
  const at = readNumbers(values.get("at"), 3);
  const place = readNumbers(values.get("place"), 2);
  const classes = values.get("classes");
  const collection = values.get("collection") || null;
  return {
    mode: MODES.find((mode) => mode === values.get("mode")) ?? EMPTY.mode,
    show: values.get("show") || null,
    collection,
    item: (collection && values.get("item")) || null,
    from: readDay(from),
    to: readDay(to),
    place: place && onEarth(place[0], place[1]) ? [place[1], place[0]] : null,
    view:
      at && onEarth(at[0], at[1])
        ? { latitude: at[0], longitude: at[1], zoom: Math.min(22, Math.max(0, at[2])) }
        : null,
    opacity: readPercent(values.get("opacity"), EMPTY.opacity),
    classes: classes === null ? null : classes.split(",").filter(Boolean),
    area: AREA.test(values.get("area") ?? "") ? values.get("area") : null,
    least: readPercent(values.get("least"), EMPTY.least),
    share: Math.max(1, readPercent(values.get("share"), EMPTY.share)),
    pick: (collection && values.get("pick")) || null,
    how: WAYS.find((way) => way === values.get("how")) ?? EMPTY.how,
    against: values.get("against") || null,
    divide: readPercent(values.get("divide"), EMPTY.divide),
  };
}

/** @param {number} degrees @param {number} digits */
const short = (degrees, digits) => String(Number(degrees.toFixed(digits)));

/**
 * Digits after the point that make a difference on the screen at a zoom.
 *
 * @param {number} zoom
 */
const digitsAt = (zoom) => Math.min(6, Math.max(2, Math.ceil(zoom / 3) + 1));

/** @param {View} view */
function writeView({ latitude, longitude, zoom }) {
  const digits = digitsAt(zoom);
  return `${short(latitude, digits)}/${short(longitude, digits)}/${short(zoom, 2)}`;
}

/** Leave what an address may hold as it is, so that people can read it. @param {string} text */
const encode = (text) => encodeURIComponent(text).replaceAll("%2C", ",").replaceAll("%2F", "/");

/**
 * Values that are not what they are without being said.
 *
 * @param {State} state
 * @param {...keyof State} names
 * @returns {[string, string][]}
 */
const written = (state, ...names) =>
  names
    .filter((name) => state[name] !== null && state[name] !== EMPTY[name])
    .map((name) => [name, String(state[name])]);

/**
 * Write the state as the query part of an address, empty or with its question mark.
 *
 * @param {State} state
 */
export function writeState(state) {
  /** @type {[string, string | null][]} */
  const pairs = [
    ["mode", state.mode === EMPTY.mode ? null : state.mode],
    ["show", state.show],
    ["collection", state.collection],
    ["item", state.item],
    ["days", state.from || state.to ? `${state.from ?? ".."}/${state.to ?? ".."}` : null],
    ["place", state.place && `${short(state.place[1], 5)}/${short(state.place[0], 5)}`],
    ["at", state.view && writeView(state.view)],
    ...written(state, "opacity"),
    ["classes", state.classes && state.classes.join(",")],
    ["area", state.area],
    ...written(state, "least", "share", "pick", "how", "against", "divide"),
  ];
  const query = pairs
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${encode(value ?? "")}`);
  return query.length ? `?${query.join("&")}` : "";
}
