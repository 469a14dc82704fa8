import assert from "node:assert/strict";
import { test } from "node:test";

import { addDays, binDays, daysBetween, marksOf, spanOf, stepFor } from "../src/timeline.js";

test("days are counted across months, leap days and changes of the clock", () => {
  assert.equal(addDays("2020-02-28", 2), "2020-03-01");
  assert.equal(addDays("2021-01-01", -1), "2020-12-31");
  assert.equal(daysBetween("2020-03-01", "2020-04-01"), 31);
  assert.equal(daysBetween("2020-10-24", "2020-10-26"), 2);
});

test("no day has no timeline", () => {
  assert.equal(spanOf([]), null);
});

test("a single day stands among whole months around it", () => {
  assert.deepEqual(spanOf(["2017-02-16"]), ["2017-01-01", "2017-03-31"]);
});

test("a timeline begins and ends with a month", () => {
  assert.deepEqual(spanOf(["2020-07-05", "2019-12-24", "2020-02-10"]), ["2019-12-01", "2020-07-31"]);
});

test("bars become weeks and months as room gets short", () => {
  assert.equal(stepFor(["2020-01-01", "2020-01-31"], 31), "day");
  assert.equal(stepFor(["2020-01-01", "2020-01-31"], 30), "week");
  assert.equal(stepFor(["2015-01-01", "2020-12-31"], 100), "month");
});

const PRODUCTS = [
  { day: "2020-05-09", count: 1, clear: 0.2 },
  { day: "2020-05-09", count: 1, clear: 0.6 },
  { day: "2020-05-12", count: 1, clear: null },
  { day: "2020-06-01", count: 1, clear: 1 },
];
/** @type {[string, string]} */
const SPAN = ["2020-05-01", "2020-06-30"];

test("a day's bar tells how many products there are, and how clear they are on average", () => {
  const bins = binDays(PRODUCTS, SPAN, "day");
  assert.deepEqual(
    bins.map(({ from, to, count }) => [from, to, count]),
    [
      ["2020-05-09", "2020-05-09", 2],
      ["2020-05-12", "2020-05-12", 1],
      ["2020-06-01", "2020-06-01", 1],
    ],
  );
  assert.ok(Math.abs((bins[0].clear ?? NaN) - 0.4) < 1e-12);
  assert.equal(bins[1].clear, null);
});

test("weeks begin with the timeline, and no product is lost in any step", () => {
  const weeks = binDays(PRODUCTS, SPAN, "week");
  assert.deepEqual([weeks[0].from, weeks[0].to, weeks[0].count], ["2020-05-08", "2020-05-14", 3]);
  const months = binDays(PRODUCTS, SPAN, "month");
  assert.deepEqual(
    months.map(({ from, to, count }) => [from, to, count]),
    [
      ["2020-05-01", "2020-05-31", 3],
      ["2020-06-01", "2020-06-30", 1],
    ],
  );
  for (const step of /** @type {const} */ (["day", "week", "month"])) {
    const total = binDays(PRODUCTS, SPAN, step).reduce((sum, bin) => sum + bin.count, 0);
    assert.equal(total, PRODUCTS.length, step);
  }
});

test("a day with many products weighs as much as they do", () => {
  const [month] = binDays(
    [
      { day: "2020-05-09", count: 3, clear: 1 },
      { day: "2020-05-10", count: 1, clear: 0 },
      { day: "2020-05-11", count: 6, clear: null },
    ],
    SPAN,
    "month",
  );
  assert.deepEqual([month.count, month.clear], [10, 0.75]);
});

test("products outside the timeline are left out", () => {
  assert.deepEqual(binDays([{ day: "2019-01-01", count: 1, clear: 1 }], SPAN, "day"), []);
});

test("marks are months with the year where it begins, or years where there are many", () => {
  assert.deepEqual(marksOf(["2019-11-01", "2020-02-29"], 6), [
    { day: "2019-11-01", label: "Nov 2019" },
    { day: "2019-12-01", label: "Dec" },
    { day: "2020-01-01", label: "Jan 2020" },
    { day: "2020-02-01", label: "Feb" },
  ]);
  assert.deepEqual(
    marksOf(["2015-06-01", "2026-06-30"], 12).map(({ label }) => label),
    ["2016", "2017", "2018", "2019", "2020", "2021", "2022", "2023", "2024", "2025", "2026"],
  );
  assert.ok(marksOf(["2015-06-01", "2026-06-30"], 5).length <= 6);
});
