import assert from "node:assert/strict";
import { test } from "node:test";

import {
  classesOf,
  clearShare,
  cloudShare,
  factsOf,
  percent,
  platformName,
  size,
  tileOf,
} from "../src/facts.js";
import { cloudColor } from "../src/palette.js";
import { ID, item } from "./items.js";

test("shares are read as the catalogue has them", () => {
  assert.equal(clearShare(item()), 0.5);
  assert.equal(cloudShare(item()), 0.4);
  assert.equal(clearShare(item({ properties: { "nimbostac:clear": undefined } })), 0.6);
});

test("a share that is not quite nothing or everything does not read as it", () => {
  assert.deepEqual(
    [0, 0.004, 0.5, 0.996, 1, null].map(percent),
    ["0 %", "<1 %", "50 %", ">99 %", "100 %", "–"],
  );
});

test("the legend has the classes that are drawn, in the Item's own words", () => {
  assert.deepEqual(
    classesOf(item()).map(({ name }) => name),
    ["clear", "cloud"],
  );
});

test("the tile is known by its code, or by the product's name", () => {
  assert.equal(tileOf(item()), "33UUU");
  assert.equal(tileOf(item({ properties: { "grid:code": undefined } })), "33UUU");
});

test("facts that an Item does not tell are left out", () => {
  const facts = Object.fromEntries(factsOf(item({ properties: { "sat:relative_orbit": null } })));
  assert.equal(facts.Engine, "ukis-csmask 1.0.0");
  assert.equal(facts.Sensed, "16 February 2017, 10:21:01 UTC");
  assert.equal(facts.Baseline, "02.04");
  assert.ok(!("Orbit" in facts));
  assert.ok(!("Sun" in facts));
});

test("names and sizes are written for people", () => {
  assert.equal(platformName("sentinel-2a"), "Sentinel-2A");
  assert.deepEqual([999, 4321, 1834567].map(size), ["999 bytes", "4.3 kB", "1.8 MB"]);
});

test("the scale goes from azure to slate, and beyond it nowhere", () => {
  assert.equal(cloudColor(0), "rgb(24, 134, 240)");
  assert.equal(cloudColor(1), "rgb(108, 117, 127)");
  assert.equal(cloudColor(2), cloudColor(1));
  assert.notEqual(cloudColor(0.2), cloudColor(0.3));
  assert.equal(cloudColor(null), "rgb(150, 150, 150)");
});
