import assert from "node:assert/strict";
import { test } from "node:test";

import { areasOf, pileOf } from "../src/gathering.js";

/** @typedef {import("../src/types").Box} Box */

/**
 * @param {string} id @param {string} day @param {string} tile @param {Box} box
 * @param {number} [cloud_cover]
 */
function piece(id, day, tile, [west, south, east, north], cloud_cover = 50) {
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  return {
    properties: { id, datetime: `${day}T10:20:00Z`, grid: `MGRS-${tile}`, cloud_cover },
    geometry: { type: "Polygon", coordinates: [ring] },
  };
}

test("a footprint on two tiles is one product in the middle of both pieces", () => {
  const pieces = [
    piece("a", "2017-02-16", "31UCT", [-1, 50, 0, 51]),
    piece("a", "2017-02-16", "31UCT", [0, 50, 0.5, 51]),
  ];
  const [area, ...others] = areasOf(pieces);
  assert.deepEqual([area.id, area.count, area.middle], ["a", 1, [-0.25, 50.5]]);
  assert.deepEqual(others, []);
});

test("products of one grid square are one area in the colour of their mean", () => {
  const areas = areasOf([
    piece("old", "2017-01-01", "33UUU", [12, 52, 14, 53], 20),
    piece("new", "2017-03-01", "33UUU", [12, 52, 13, 53], 60),
    piece("beside", "2017-02-01", "33UVU", [14, 52, 15, 53], 0),
  ]);
  const [area] = areas.filter(({ tile }) => tile === "33UUU");
  assert.deepEqual([area.id, area.newest, area.count, area.share], ["old", "new", 2, 0.4]);
  assert.deepEqual(area.middle, [13, 52.5]);
});

test("far away one footprint stands for all of its place", () => {
  const one = piece("newest", "2017-03-01", "33UUU", [12, 52, 13, 53], 90);
  Object.assign(one.properties, { count: 40, mean_cloud_cover: 25 });
  const [area] = areasOf([one]);
  assert.deepEqual([area.count, area.share], [40, 0.25]);
  assert.deepEqual(pileOf([one]), { count: 40, newest: "newest" });
});

test("what is at a place is counted once each, and its newest is known", () => {
  const pieces = [
    piece("a", "2017-01-01", "33UUU", [12, 52, 13, 53]),
    piece("b", "2017-02-01", "33UUU", [12, 52, 13, 53]),
    piece("a", "2017-01-01", "33UUU", [12, 52, 13, 53]),
  ];
  assert.deepEqual(pileOf(pieces), { count: 2, newest: "b" });
  assert.deepEqual(pileOf([]), { count: 0, newest: null });
});
