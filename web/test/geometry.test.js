import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boxAround,
  boxOf,
  covers,
  searchArea,
  unwrapped,
  wrapped,
  zoomOfWidth,
} from "../src/geometry.js";

/** @typedef {import("../src/types").Geometry} Geometry */

test("longitudes of other turns are brought to this one", () => {
  assert.equal(wrapped(190), -170);
  assert.equal(wrapped(-190), 170);
  assert.equal(wrapped(540.5), -179.5);
  assert.equal(wrapped(180), 180);
  assert.equal(wrapped(-180), -180);
});

test("a box with heights is as good as one without", () => {
  assert.deepEqual(boxOf([1, 2, 0, 3, 4, 100]), [1, 2, 3, 4]);
  assert.deepEqual(boxOf([1, 2, 3, 4]), [1, 2, 3, 4]);
});

test("a box across the antimeridian goes on to the east", () => {
  assert.deepEqual(unwrapped([179, -20, -179, -19]), [179, -20, 181, -19]);
  assert.deepEqual(unwrapped([10, 50, 11, 51]), [10, 50, 11, 51]);
});

test("the box around boxes holds all of them", () => {
  assert.equal(boxAround([]), null);
  assert.deepEqual(boxAround([[1, 2, 3, 4]]), [1, 2, 3, 4]);
  assert.deepEqual(
    boxAround([
      [10, 50, 11, 51],
      [-9, 38, -8, 39],
      [24, 58, 26, 59],
    ]),
    [-9, 38, 26, 59],
  );
});

test("the box around boxes crosses the antimeridian where that is the short way", () => {
  assert.deepEqual(
    boxAround([
      [177, -18, 178, -17],
      [-179, -19, -178, -18],
    ]),
    [177, -19, -178, -17],
  );
  assert.deepEqual(
    boxAround([
      [179.5, 65, -179.5, 66],
      [-178, 65, -177, 66],
    ]),
    [179.5, 65, -177, 66],
  );
});

test("the box around boxes all round the globe is the globe", () => {
  const boxes = [-180, -90, 0, 90].map(
    (west) => /** @type {[number, number, number, number]} */ ([west, -5, west + 90, 5]),
  );
  assert.deepEqual(boxAround(boxes), [-180, -5, 180, 5]);
});

test("a view inside one turn is searched as a box", () => {
  assert.deepEqual(searchArea([10, 50, 12, 52]), { bbox: [10, 50, 12, 52] });
  assert.deepEqual(searchArea([370, 50, 372, 52]), { bbox: [10, 50, 12, 52] });
  assert.deepEqual(searchArea([0, -95, 10, 95]), { bbox: [0, -90, 10, 90] });
});

test("a view across the antimeridian is searched in two pieces that meet there", () => {
  const { bbox, intersects } = searchArea([170, -20, 190, -10]);
  assert.equal(bbox, undefined);
  assert.equal(intersects?.type, "MultiPolygon");
  for (const [place, inside] of /** @type {[[number, number], boolean][]} */ ([
    [[175, -15], true],
    [[-175, -15], true],
    [[165, -15], false],
    [[-165, -15], false],
    [[0, -15], false],
  ])) {
    assert.equal(covers(/** @type {Geometry} */ (intersects), place), inside, String(place));
  }
});

test("a view of the whole globe is searched without a place", () => {
  assert.deepEqual(searchArea([-200, -80, 200, 80]), {});
});

test("a footprint covers what is inside it, but not its holes", () => {
  /** @type {Geometry} */
  const footprint = {
    type: "Polygon",
    coordinates: [
      [
        [0, 0],
        [10, 0],
        [10, 10],
        [0, 10],
        [0, 0],
      ],
      [
        [4, 4],
        [6, 4],
        [6, 6],
        [4, 6],
        [4, 4],
      ],
    ],
  };
  assert.equal(covers(footprint, [2, 2]), true);
  assert.equal(covers(footprint, [5, 5]), false);
  assert.equal(covers(footprint, [12, 5]), false);
});

test("the zoom of a width is the one at which the box is as wide", () => {
  // At zoom 0 a map of 512 px tiles shows 360 degrees on 512 px.
  assert.equal(zoomOfWidth([-180, -85, 180, 85], 512), 0);
  assert.equal(zoomOfWidth([0, 0, 45, 10], 512), 3);
  assert.equal(zoomOfWidth([179, 0, -178.1875, 1], 4), 0);
});
