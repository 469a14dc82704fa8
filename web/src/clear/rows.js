// Lists of acquisitions: the clearest ones, and the fewest that together show the field.

import { h } from "../dom.js";
import { percent } from "../facts.js";
import { acquisitionRow, chip, coverageWords } from "./chips.js";
import { clearSeen, dayOf } from "./series.js";

/** @typedef {import("./series.js").Acquisition} Acquisition */
/** @typedef {import("./ask.js").Cover} Cover */

const MOST_ROWS = 8;

/**
 * What all rows need.
 *
 * @typedef {object} Around
 * @property {import("../types").Services} services
 * @property {import("../types").Geometry} geometry
 * @property {(item: string) => string} addressOf
 * @property {string | null} picked  The Item that the map shows.
 * @property {(one: Pick<Acquisition, "items">) => void} pick
 */

/** @param {Around} around @param {{ collection: string, items: string[] }} one */
const linked = ({ services, geometry, addressOf, picked, pick }, one) => ({
  picture: chip(services, geometry, one),
  address: addressOf(one.items[0]),
  isPicked: one.items.includes(picked ?? ""),
  pick: () => pick(one),
});

/**
 * @param {Around} around
 * @param {Acquisition[]} best  The clearest first.
 * @param {number} least  Percent of clear sky that they were to have.
 */
export function bestRows(around, best, least) {
  const rows = best.slice(0, MOST_ROWS).map((one) =>
    acquisitionRow({
      day: dayOf(one),
      strong: `${percent(one.clear)} clear`,
      soft: coverageWords(one.coverage),
      bar: { share: clearSeen(one) },
      ...linked(around, one),
    }),
  );
  const left = best.length - rows.length;
  if (left) rows.push(h("li", { class: "more soft" }, `and ${left} more, in the plot and the table`));
  if (!best.length) rows.push(h("li", { class: "more soft" }, `None is ${least} % clear. Ask for less.`));
  return rows;
}

/** @param {Around} around @param {Cover["acquisitions"]} acquisitions */
export const coverRows = (around, acquisitions) =>
  acquisitions.map((one) =>
    acquisitionRow({
      day: one.datetime.slice(0, 10),
      strong: `+ ${percent(one.adds)}`,
      soft: `${percent(one.achieved)} with it`,
      bar: { share: one.achieved, part: one.adds },
      ...linked(around, one),
    }),
  );
