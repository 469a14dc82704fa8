import assert from "node:assert/strict";
import { test } from "node:test";

import { ServiceError } from "../src/catalog.js";
import { skyWords } from "../src/clear/ask.js";
import { halfOf, placeOf, stepOf } from "../src/clear/calendar.js";
import { outlineIn, squareOf } from "../src/clear/chips.js";
import { bodyOf, halvesOf, questionSnippets, yearsOf } from "../src/clear/question.js";
import { bestOfDays, clearest, clearSeen, csvOf } from "../src/clear/series.js";

/** @typedef {import("../src/clear/series.js").Acquisition} Acquisition */

/** @param {string} datetime @param {number | null} clear @param {number} [coverage] @returns {Acquisition} */
const one = (datetime, clear, coverage = 1) => ({
  datetime,
  collection: "ukis-csmask-l1c",
  acquisition: null,
  clear,
  cloud_shadow: 0,
  semi_transparent: 0,
  cloud: clear === null ? null : 1 - clear,
  missing: 0,
  coverage,
  error: 0,
  items: [`item of ${datetime}`],
});

const QUESTION = {
  collection: "it's",
  geometry: /** @type {import("../src/types").Geometry} */ ({
    type: "Polygon",
    coordinates: [[[1, 1], [2, 1], [2, 2], [1, 1]]],
  }),
  from: "2024-01-01",
  to: null,
  least: 90,
};

test("a day is as clear as its best acquisition over the whole polygon", () => {
  const part = one("2024-05-01T09:00:00Z", 1, 0.3);
  const whole = one("2024-05-01T10:00:00Z", 0.5);
  const days = bestOfDays([one("2024-05-03T10:00:00Z", 0), part, whole]);
  assert.deepEqual(days.map(({ day }) => day), ["2024-05-01", "2024-05-03"]);
  assert.equal(days[0].best, whole);
  assert.equal(clearSeen(part), 0.3);
});

test("the clearest come first, the later of equals, and none that is not clear enough", () => {
  const all = [
    one("2024-05-01T10:00:00Z", 0.95),
    one("2024-05-02T10:00:00Z", 1),
    one("2024-05-03T10:00:00Z", 1),
    one("2024-05-04T10:00:00Z", 1, 0.5),
    one("2024-05-05T10:00:00Z", 0.89),
    one("2024-05-06T10:00:00Z", null, 0),
  ];
  const days = clearest(all, 90).map(({ datetime }) => datetime.slice(8, 10));
  assert.deepEqual(days, ["03", "02", "01", "04"]);
});

test("the table has the columns of the tile server's, and quotes what needs it", () => {
  const odd = { ...one("2024-05-01T10:00:00Z", null), acquisition: 'a,"b"', items: ["a", "b"] };
  const [head, row, end] = csvOf([odd]).split("\r\n");
  assert.equal(
    head,
    "datetime,collection,acquisition,clear,cloud_shadow,semi_transparent,cloud,missing,coverage,error,items",
  );
  assert.equal(row, '2024-05-01T10:00:00Z,ukis-csmask-l1c,"a,""b""",,0,0,,0,1,0,a b');
  assert.equal(end, "");
});

test("a period is asked for year by year, and in halves where that is too much", () => {
  assert.deepEqual(yearsOf("2023-11-02", "2025-01-05"), [
    { from: "2023-11-02", to: "2023-12-31" },
    { from: "2024-01-01", to: "2024-12-31" },
    { from: "2025-01-01", to: "2025-01-05" },
  ]);
  assert.deepEqual(yearsOf("2024-02-02", "2024-02-02"), [{ from: "2024-02-02", to: "2024-02-02" }]);
  assert.deepEqual(halvesOf({ from: "2024-01-01", to: "2024-01-03" }), [
    { from: "2024-01-01", to: "2024-01-02" },
    { from: "2024-01-03", to: "2024-01-03" },
  ]);
  assert.equal(halvesOf({ from: "2024-01-01", to: "2024-01-01" }).length, 1);
});

test("the question has a time only where there is one", () => {
  assert.equal(bodyOf(QUESTION).datetime, "2024-01-01T00:00:00Z/..");
  assert.ok(!("datetime" in bodyOf({ ...QUESTION, from: null })));
});

test("a shell takes the command as it is, quotes and all", () => {
  const [curl] = questionSnippets({ stac: "s", tiler: "http://localhost/tiler", admin: "a" }, QUESTION);
  assert.ok(curl.text.includes(String.raw`"it'\''s"`));
  assert.ok(curl.text.includes('"min_clear":0.9'));
});

test("limits are told in words, with what helps", () => {
  const tell = (/** @type {string} */ detail, status = 400) =>
    skyWords(new ServiceError(`The tile server answered ${status}: ${detail}`, status));
  assert.equal(
    tell("too much for one request: vertices of the polygon: 12001, and at most 10000"),
    "That is more than the server does at once: vertices of the polygon: 12001, and at most 10,000. Draw a smaller or simpler field.",
  );
  assert.match(tell("too much for one request: products that match: more than 9, and at most 9"), /shorter period/);
  assert.match(tell("4 requests wait already", 429), /Try again/);
  assert.equal(tell("no database", 503), "The tile server answered 503: no database");
});

test("days have their place in the calendar, Monday on top", () => {
  // 1 January 2024 was a Monday, 1 July 2024, too; 1 January 2023 a Sunday.
  assert.deepEqual(placeOf("2024-01-01"), { week: 0, weekday: 0 });
  assert.deepEqual(placeOf("2024-01-08"), { week: 1, weekday: 0 });
  assert.deepEqual(placeOf("2024-07-07"), { week: 0, weekday: 6 });
  assert.deepEqual(placeOf("2023-01-01"), { week: 0, weekday: 6 });
  assert.deepEqual(placeOf("2023-01-02"), { week: 1, weekday: 0 });
  assert.equal(halfOf("2024-06-30"), "2024-01-01");
  assert.deepEqual([0, 0.16, 0.17, 0.99, 1].map(stepOf), [0, 0, 1, 5, 5]);
});

test("a picture of a field is as high as it is wide on the ground, and the field in its middle", () => {
  const box = squareOf([10, 59.9, 10.2, 60.1], 0, 1);
  const [west, south, east, north] = box;
  assert.ok(Math.abs((east - west) * Math.cos(Math.PI / 3) - (north - south)) < 1e-9);
  /** @type {import("../src/types").Geometry} */
  const geometry = { type: "Polygon", coordinates: [[[west, south], [east, south], [10.1, north], [west, south]]] };
  assert.equal(outlineIn(geometry, box), "M0.00 100.00L100.00 100.00L50.00 0.00L0.00 100.00Z");
});

test("a field across the antimeridian is drawn in one piece", () => {
  const box = squareOf([179, 0, -179, 2], 0, 1);
  /** @type {import("../src/types").Geometry} */
  const geometry = { type: "Polygon", coordinates: [[[179, 0], [-179, 0], [-179, 2], [179, 0]]] };
  const columns = [...outlineIn(geometry, box).matchAll(/[ML](\S+)/g)].map(([, x]) => Number(x));
  assert.ok(columns.every((x) => x >= -1 && x <= 101), String(columns));
});
