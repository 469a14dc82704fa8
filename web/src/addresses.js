// Addresses of services, tiles and files, all from where the page itself was found.

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Services} Services */

const MATRIX = "WebMercatorQuad";
/** Edge of the tiles that the page draws, as the tile server's own TileJSON has it. */
const TILE_PX = "512";

/**
 * The services beside the page; a path that a reverse proxy put before it stays.
 *
 * @param {string} page  Address of the page.
 * @returns {Services}
 */
export function servicesBeside(page) {
  const [stac, tiler, admin] = ["stac", "tiler", "admin"].map((name) => new URL(name, page).href);
  return { stac, tiler, admin };
}

/** @param {{ links?: Item["links"] }} item @param {string} rel */
export function linkOf(item, rel) {
  return item.links?.find((link) => link.rel === rel)?.href ?? null;
}

/** @param {Services} services @param {Pick<Item, "id" | "collection">} item */
function tilerPath(services, item) {
  const path = `collections/${encodeURIComponent(item.collection)}/items/${encodeURIComponent(item.id)}`;
  return `${services.tiler}/${path}`;
}

/**
 * Set a value in the query of an address, whose `{z}` and the like stay as they are.
 *
 * @param {string} address
 * @param {string} name
 * @param {string | null} value  Null takes it away.
 */
export function withQuery(address, name, value) {
  const [path, query = ""] = address.split("?");
  const kept = query.split("&").filter((pair) => pair && pair.split("=")[0] !== name);
  if (value !== null) {
    kept.push(`${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`);
  }
  return kept.length ? `${path}?${kept.join("&")}` : path;
}

/**
 * Template of the tiles of an Item's asset: the Item's own link, or what it would be.
 *
 * @param {Services} services
 * @param {Item} item
 * @param {string} asset
 */
export function tileTemplate(services, item, asset) {
  const own = linkOf(item, "xyz");
  const template = own ?? `${tilerPath(services, item)}/tiles/${MATRIX}/{z}/{x}/{y}.png`;
  return withQuery(template, "assets", asset);
}

/** Larger tiles, as the map wants them. @param {string} template */
export const forMap = (template) => withQuery(template, "tilesize", TILE_PX);

/** @param {Services} services @param {Pick<Item, "id" | "collection"> & { links?: Item["links"] }} item */
export function tileJson(services, item) {
  const own = linkOf(item, "tilejson");
  return own ?? `${tilerPath(services, item)}/${MATRIX}/tilejson.json?assets=mask`;
}

/** @param {Services} services @param {Item} item */
export function wmts(services, item) {
  const own = linkOf(item, "wmts");
  return own ?? `${tilerPath(services, item)}/WMTSCapabilities.xml?assets=mask`;
}

/** @param {Services} services @param {Item} item */
export function itemAddress(services, item) {
  const path = `collections/${encodeURIComponent(item.collection)}/items/${encodeURIComponent(item.id)}`;
  return linkOf(item, "self") ?? `${services.stac}/${path}`;
}

/**
 * Template of the tiles of everything in a Collection, newest on top.
 *
 * @param {Services} services
 * @param {string} collection
 * @param {string | null} from
 * @param {string | null} to
 */
export function mosaicTemplate(services, collection, from, to) {
  const base = `${services.tiler}/collections/${encodeURIComponent(collection)}`;
  const tiles = `${base}/tiles/${MATRIX}/{z}/{x}/{y}.png?assets=mask`;
  return forMap(withQuery(tiles, "datetime", interval(from, to)));
}

/**
 * Template of the footprints of a Collection, as vector tiles.
 *
 * @param {Services} services
 * @param {string} collection
 * @param {string | null} from
 * @param {string | null} to
 */
export function footprintTemplate(services, collection, from, to) {
  const tiles = `${services.tiler}/footprints/{z}/{x}/{y}.pbf`;
  const named = withQuery(tiles, "collections", collection);
  return withQuery(named, "datetime", interval(from, to));
}

/**
 * Address of the days on which a Collection has something in a box.
 *
 * @param {Services} services
 * @param {string} collection
 * @param {import("./types").Box} box  Its east may be beyond 180 degrees.
 */
export function timelineAddress(services, collection, [west, south, east, north]) {
  const turns = 360 * Math.floor((west + 180) / 360);
  const whole = east - west >= 360;
  const sides = [whole ? -180 : west - turns, Math.max(-90, south), whole ? 180 : east - turns, Math.min(90, north)];
  const named = withQuery(`${services.tiler}/timeline`, "collections", collection);
  return withQuery(named, "bbox", sides.map((side) => Number(side.toFixed(4))).join(","));
}

/**
 * Days as STAC wants them, the last one included.
 *
 * @param {string | null} from
 * @param {string | null} to
 */
export function interval(from, to) {
  if (!from && !to) return null;
  return `${from ? `${from}T00:00:00Z` : ".."}/${to ? `${to}T23:59:59.999Z` : ".."}`;
}
