// The two sides of a comparison, as the address names them.
//
// The left side is the mask of the Item that is open. The right side is `against`: `preview`, its
// true colour; the id of a Collection, the same product by another engine; or that and the id of
// another Item.

import { dayOf, shortDay } from "../facts.js";

/** @typedef {import("../types").Item} Item */
/** @typedef {import("../types").State} State */

/**
 * @typedef {object} Side
 * @property {string} collection
 * @property {string} item
 * @property {"mask" | "preview"} picture
 */

const TRUE_COLOUR = "preview";

/**
 * Both sides that a state names.
 *
 * @param {Pick<State, "collection" | "item" | "against">} state
 * @returns {{ left: Side, right: Side } | null}  Null where no Item is open.
 */
export function sidesOf({ collection, item, against }) {
  if (!collection || !item) return null;
  const left = /** @type {Side} */ ({ collection, item, picture: "mask" });
  if (!against || against === TRUE_COLOUR) return { left, right: { ...left, picture: "preview" } };
  const [other, ...rest] = against.split("/");
  return { left, right: { collection: other, item: rest.join("/") || item, picture: "mask" } };
}

/**
 * What the address says of a right side.
 *
 * @param {Side} left
 * @param {Side} right
 * @returns {string | null}
 */
export function againstOf(left, right) {
  if (right.picture === "preview") return null;
  return right.item === left.item ? right.collection : `${right.collection}/${right.item}`;
}

/** Whether both sides are masks, and two of them. @param {{ left: Side, right: Side }} sides */
export const areMasks = ({ left, right }) =>
  right.picture === "mask" && !(left.collection === right.collection && left.item === right.item);

/** Engine that made the mask of an Item. @param {Item} item */
const engineOf = (item) => String(item.properties["nimbostac:engine"] ?? item.collection);

/**
 * What the sides are called: by what tells them apart.
 *
 * @param {{ left: Item, right: Item, sides: { left: Side, right: Side } } | null} loaded
 * @returns {[string, string]}
 */
export function namesOf(loaded) {
  if (!loaded) return ["A", "B"];
  const { left, right, sides } = loaded;
  const isOneDay = dayOf(left) === dayOf(right);
  const isOneEngine = engineOf(left) === engineOf(right);
  const [a, b] = [left, right].map((item) =>
    [isOneEngine && !isOneDay ? null : engineOf(item), isOneDay ? null : shortDay(dayOf(item))]
      .filter(Boolean)
      .join(", "),
  );
  return [a, sides.right.picture === "preview" ? "True colour" : b];
}
