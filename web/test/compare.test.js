import assert from "node:assert/strict";
import { test } from "node:test";

import { agreementTiles, titlesOf } from "../src/compare/ask.js";
import { rowsThatMatter } from "../src/compare/matrix.js";
import { againstOf, areMasks, namesOf, sidesOf } from "../src/compare/sides.js";
import { columnsFor } from "../src/compare/slides.js";
import { hiddenValues } from "../src/toggles.js";
import { item } from "./items.js";

const SERVICES = { stac: "s", tiler: "http://localhost/tiler", admin: "a" };
const OPEN = { collection: "ukis-csmask-l1c", item: "A", against: null };

test("without a product there are no sides, without another side its true colour is one", () => {
  assert.equal(sidesOf({ ...OPEN, item: null }), null);
  assert.equal(sidesOf(OPEN)?.right.picture, "preview");
  assert.deepEqual(sidesOf({ ...OPEN, against: "preview" }), sidesOf(OPEN));
});

test("another engine's mask is of the same product, unless the address says which", () => {
  const same = sidesOf({ ...OPEN, against: "kappamask-l1c" });
  assert.deepEqual(same?.right, { collection: "kappamask-l1c", item: "A", picture: "mask" });
  const other = sidesOf({ ...OPEN, against: "ukis-csmask-l1c/B" });
  assert.deepEqual(other?.right, { collection: "ukis-csmask-l1c", item: "B", picture: "mask" });
});

test("every right side comes back from the address", () => {
  for (const against of [null, "kappamask-l1c", "ukis-csmask-l1c/B", "sen2cor-l2a/C"]) {
    const sides = sidesOf({ ...OPEN, against });
    assert.ok(sides);
    assert.equal(againstOf(sides.left, sides.right), against);
  }
});

test("a mask does not agree with a picture, nor with itself", () => {
  const with_ = (/** @type {string | null} */ against) => {
    const sides = sidesOf({ ...OPEN, against });
    return sides !== null && areMasks(sides);
  };
  assert.equal(with_(null), false);
  assert.equal(with_("ukis-csmask-l1c"), false);
  assert.equal(with_("kappamask-l1c"), true);
  assert.equal(with_("ukis-csmask-l1c/B"), true);
});

test("the agreement's tiles name both masks", () => {
  const sides = sidesOf({ ...OPEN, against: "k/B c" });
  assert.ok(sides);
  assert.equal(
    agreementTiles({ stac: "s", tiler: "http://localhost/tiler", admin: "a" }, sides),
    "http://localhost/tiler/compare/collections/ukis-csmask-l1c/items/A/with/k/items/B%20c" +
      "/tiles/WebMercatorQuad/{z}/{x}/{y}.png?tilesize=512",
  );
});

test("masks are called by engine, and by level where that differs", () => {
  const mask = (/** @type {string} */ collection, /** @type {string} */ engine) =>
    /** @type {import("../src/compare/ask.js").Mask} */ (/** @type {unknown} */ ({ collection, engine }));
  const one = [mask("kappamask-l1c", "kappamask"), mask("ukis-csmask-l1c", "ukis-csmask")];
  assert.deepEqual([...titlesOf(one).values()], ["kappamask", "ukis-csmask"]);
  const two = [...one, mask("sen2cor-l2a", "sen2cor")];
  assert.deepEqual([...titlesOf(two).values()], ["kappamask, L1C", "ukis-csmask, L1C", "sen2cor, L2A"]);
});

test("slides are as large as the frame lets them be", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 9].map((count) => columnsFor(count, 900, 800)), [1, 2, 2, 2, 3, 3, 3, 3]);
  assert.equal(columnsFor(2, 390, 600), 1);
});

test("classes that neither mask has are no rows of the matrix", () => {
  const matrix = [
    [5, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 2, 0, 1],
  ];
  const agreement = /** @type {any} */ ({ classes: ["a", "b", "c", "d"], matrix });
  assert.deepEqual(rowsThatMatter(agreement), [0, 1, 3]);
});

test("sides are called by what tells them apart: engines, days, or both", () => {
  const other = { "nimbostac:engine": "kappamask" };
  const later = { datetime: "2017-03-08T10:21:01Z" };
  /** @param {Record<string, unknown>} properties @param {string | null} [against] */
  const names = (properties, against = "x") => {
    const sides = sidesOf({ ...OPEN, against });
    return sides && namesOf({ left: item(), right: item({ properties }), sides });
  };
  assert.deepEqual(names(other), ["ukis-csmask", "kappamask"]);
  assert.deepEqual(names(later), ["16 Feb 2017", "8 Mar 2017"]);
  assert.deepEqual(names({ ...other, ...later }), [
    "ukis-csmask, 16 Feb 2017",
    "kappamask, 8 Mar 2017",
  ]);
  assert.deepEqual(names({}, null), ["ukis-csmask", "True colour"]);
});

test("classes that are off are left out by their values, and none where all are on", () => {
  const classes = item().assets.mask["classification:classes"] ?? [];
  assert.deepEqual(hiddenValues(classes, null), []);
  assert.deepEqual(hiddenValues(classes, ["cloud"]), [0, 1]);
  assert.deepEqual(hiddenValues(classes, []), [0, 1, 4]);
});
