// Where the polygon is kept: in the address, or in the window where it is too large for one.

import { decodeArea, encodeArea } from "./encoding.js";

/** @typedef {import("../types").Geometry} Geometry */

/** Longer addresses are cut by mail programs, chats and some proxies. */
export const MOST_LETTERS = 1600;
const MARK = "*";
const KEY = "nimbostac-area-";

/** FNV-1a. @param {string} text */
function digest(text) {
  let hash = 0x811c9dc5;
  for (const letter of text) {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  }
  return hash.toString(36);
}

/**
 * Text by which the address names a geometry.
 *
 * @param {Geometry} geometry
 * @param {Pick<Storage, "setItem">} storage  Of the window.
 */
export function keepArea(geometry, storage) {
  const text = encodeArea(geometry);
  if (text.length <= MOST_LETTERS) return text;
  const name = digest(text);
  storage.setItem(KEY + name, text);
  return MARK + name;
}

/** Whether a polygon is in this window only. @param {string} area */
export const isOnlyHere = (area) => area.startsWith(MARK);

/**
 * The geometry that the address names.
 *
 * @param {string} area
 * @param {Pick<Storage, "getItem">} storage
 * @returns {Geometry | null}  Null where there is none, or none any more.
 */
export function areaNamed(area, storage) {
  const text = isOnlyHere(area) ? storage.getItem(KEY + area.slice(MARK.length)) : area;
  return text ? decodeArea(text) : null;
}
