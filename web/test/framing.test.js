import assert from "node:assert/strict";
import { test } from "node:test";

import { framed, seen } from "../src/framing.js";

const room = { padding: { top: 70, right: 50, bottom: 40, left: 30 }, maxZoom: 13 };
const size = { width: 900, height: 700 };

test("a box is framed with room around it, as large as it can be", () => {
  const box = /** @type {import("../src/types").Box} */ ([5, 40, 25, 52]);
  const view = framed(box, size, room);
  const [west, south, east, north] = seen(view, size);
  const perDegree = size.width / (east - west);
  assert.ok(west < box[0] && south < box[1] && east > box[2] && north > box[3]);
  const [left, right] = [(box[0] - west) * perDegree, (east - box[2]) * perDegree];
  assert.ok(left > 29.9 && right > 49.9, `${left} px and ${right} px`);
  assert.ok(Math.abs(right - left - 20) < 0.01, "the middle is moved by what the sides differ");
});

test("what is small is not enlarged beyond the last zoom", () => {
  assert.equal(framed([12, 47, 12.0001, 47.0001], size, room).zoom, 13);
});

test("a view shows as much as its zoom says", () => {
  const [west, south, east, north] = seen({ longitude: 0, latitude: 0, zoom: 1 }, { width: 512, height: 512 });
  assert.deepEqual([west, east], [-90, 90]);
  assert.ok(Math.abs(north - 66.513) < 0.001 && Math.abs(south + 66.513) < 0.001);
});

test("a view over the antimeridian ends beyond 180 degrees, and none beyond the poles", () => {
  const [west, , east, north] = seen({ longitude: 179, latitude: 80, zoom: 2 }, size);
  assert.ok(west < 179 && east > 180);
  assert.ok(north <= 85.06);
});
