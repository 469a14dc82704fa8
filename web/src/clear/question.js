// The question about the sky over a polygon, as the tile server takes it, and as people may run it.

import { interval } from "../addresses.js";

/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Services} Services */
/** @typedef {import("../types").Snippet} Snippet */

/**
 * @typedef {object} Question
 * @property {string} collection
 * @property {Geometry} geometry
 * @property {string | null} from  First day; null is open.
 * @property {string | null} to  Last day.
 * @property {number} least  Per cent.
 */

/**
 * The body that every endpoint about a polygon takes; the least share is not in it.
 *
 * @param {Question} question
 */
export function bodyOf({ collection, geometry, from, to }) {
  const datetime = interval(from, to);
  return { collections: [collection], ...(datetime && { datetime }), intersects: geometry };
}

/**
 * Years of a period, so that a long one can be asked for bit by bit.
 *
 * @param {string} from  Day.
 * @param {string} to  Day, not before `from`.
 * @returns {{ from: string, to: string }[]}
 */
export function yearsOf(from, to) {
  const [first, last] = [from, to].map((day) => Number(day.slice(0, 4)));
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    from: index ? `${first + index}-01-01` : from,
    to: first + index < last ? `${first + index}-12-31` : to,
  }));
}

/**
 * Two halves of a period.
 *
 * @param {{ from: string, to: string }} period
 * @returns {{ from: string, to: string }[]}  The period alone where it is one day.
 */
export function halvesOf({ from, to }) {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (start >= end) return [{ from, to }];
  const day = 24 * 3600 * 1000;
  const middle = start + Math.floor((end - start) / day / 2) * day;
  const write = (/** @type {number} */ time) => new Date(time).toISOString().slice(0, 10);
  return [
    { from, to: write(middle) },
    { from: write(middle + day), to },
  ];
}

/** @param {string} text */
const shellQuoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * The same question as commands and code.
 *
 * @param {Services} services
 * @param {Question} question
 * @returns {Snippet[]}
 */
export function questionSnippets(services, question) {
  const body = bodyOf(question);
  const least = question.least / 100;
  const data = shellQuoted(JSON.stringify({ ...body, min_clear: least }));
  const when = body.datetime ? `\n    datetime=${JSON.stringify(body.datetime)},` : "";
  return [
    {
      id: "curl",
      title: "curl",
      hint: "A row an acquisition, as CSV. Without f=csv it is JSON.",
      text: `curl ${shellQuoted(`${services.tiler}/timeseries?f=csv`)} -H 'Content-Type: application/json' -d ${data}`,
    },
    {
      id: "python",
      title: "Python",
      hint: "Items with their shares over the field: pip install pystac-client",
      text: `from pystac_client import Client

field = ${JSON.stringify(question.geometry)}
search = Client.open(${JSON.stringify(`${services.tiler}/clear/stac`)}).search(
    collections=[${JSON.stringify(question.collection)}],${when}
    intersects=field,
    filter={"op": ">=", "args": [{"property": "aoi:clear"}, ${least}]},
    sortby="-aoi:clear",
)
for item in search.items():
    print(item.datetime.date(), f"{item.properties['aoi:clear']:.1%}", item.id)`,
    },
  ];
}
