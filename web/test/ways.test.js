import assert from "node:assert/strict";
import { test } from "node:test";

import { nearestDay, waysOn } from "../src/ways.js";

/** @param {string[]} days */
const daysOf = (...days) => days.map((day) => ({ day, count: 1, clear: null }));
const nowhere = { from: null, to: null, place: null };

test("the nearest day is before or after a range, or within it", () => {
  const days = daysOf("2017-02-06", "2017-02-16", "2017-03-08");
  assert.equal(nearestDay(days, "2017-02-18", "2017-02-20"), "2017-02-16");
  assert.equal(nearestDay(days, "2017-02-25", "2017-03-05"), "2017-03-08");
  assert.equal(nearestDay(days, null, "2016-01-01"), "2017-02-06");
  assert.equal(nearestDay(days, "2018-01-01", null), "2017-03-08");
  assert.equal(nearestDay([], "2018-01-01", null), null);
});

test("days without products lead to the nearest one, or to all", () => {
  const { words, ways } = waysOn(daysOf("2017-02-16"), { ...nowhere, from: "2018-01-01", to: "2018-01-02" });
  assert.match(words, /these days/);
  assert.deepEqual(ways.map(({ change }) => change), [
    { from: "2017-02-16", to: "2017-02-16" },
    { from: null, to: null },
  ]);
  assert.match(ways[0].label, /16 Feb 2017/);
});

test("where nothing ever was, the way leads to all products", () => {
  assert.deepEqual(waysOn([], nowhere).ways.map(({ change }) => change), [null]);
  assert.equal(waysOn([], { ...nowhere, from: "2018-01-01" }).ways.length, 2);
});

test("a place without products leads to the others in view", () => {
  const { ways } = waysOn(daysOf("2017-02-16"), { ...nowhere, place: [12, 50] });
  assert.deepEqual(ways.map(({ change }) => change), [{ place: null }]);
});
