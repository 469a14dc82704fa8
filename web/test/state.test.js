import assert from "node:assert/strict";
import { test } from "node:test";

import { EMPTY, readState, writeState } from "../src/state.js";

/** @typedef {import("../src/types").State} State */

/** @type {State} */
const FULL = {
  mode: "clear",
  show: "coverage/33UUU/2024",
  collection: "ukis-csmask-l1c",
  item: "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204",
  from: "2017-02-01",
  to: "2017-02-28",
  place: [13.01234, 52.41],
  view: { latitude: 52.41234, longitude: 13.02345, zoom: 10.5 },
  opacity: 60,
  classes: ["cloud", "cloud_shadow"],
  area: "0zz-A.b~c",
  least: 75,
  share: 80,
  pick: "S2A_MSIL1C_20170306T102101_N0204_R065_T33UUU_20170306T102204",
  how: "side",
  against: "kappamask-l1c",
  divide: 30,
};

test("an address without a query is the state to begin with", () => {
  assert.deepEqual(readState(""), EMPTY);
  assert.equal(writeState(EMPTY), "");
});

test("every state comes back from its address", () => {
  assert.deepEqual(readState(writeState(FULL)), FULL);
  for (const name of /** @type {(keyof State)[]} */ (Object.keys(EMPTY))) {
    if (name === "item" || name === "pick") continue;
    const one = { ...EMPTY, [name]: FULL[name] };
    assert.deepEqual(readState(writeState(one)), one, name);
  }
});

test("an address can be read by people", () => {
  const query = writeState({ ...FULL, mode: "map", show: null, item: null });
  assert.equal(
    query,
    "?collection=ukis-csmask-l1c&days=2017-02-01/2017-02-28&place=52.41/13.01234" +
      "&at=52.41234/13.02345/10.5&opacity=60&classes=cloud,cloud_shadow" +
      "&area=0zz-A.b~c&least=75&share=80" +
      "&pick=S2A_MSIL1C_20170306T102101_N0204_R065_T33UUU_20170306T102204" +
      "&how=side&against=kappamask-l1c&divide=30",
  );
});

test("the address that a map link of an Item has opens that Item", () => {
  const state = readState("?collection=a&item=b");
  assert.deepEqual([state.collection, state.item, state.view], ["a", "b", null]);
});

test("an Item without its Collection is no state", () => {
  assert.equal(readState("?item=b").item, null);
});

test("one end of the days may be open", () => {
  const since = { ...EMPTY, from: "2020-05-09" };
  assert.equal(writeState(since), "?days=2020-05-09/..");
  assert.deepEqual(readState("?days=2020-05-09/.."), since);
  assert.deepEqual(readState("?days=../2020-05-09"), { ...EMPTY, to: "2020-05-09" });
});

test("no class at all is not the same as every class", () => {
  assert.deepEqual(readState("?classes=").classes, []);
  assert.equal(readState("").classes, null);
  assert.equal(writeState({ ...EMPTY, classes: [] }), "?classes=");
});

test("what cannot be read is as if it were not there", () => {
  for (const query of [
    "?days=yesterday/2020-02-30",
    "?at=52/13",
    "?at=52/13/x",
    "?at=//",
    "?at=152/13/4",
    "?place=12",
    "?place=0/500",
    "?opacity=much",
    "?least=all",
    "?area=<b>",
    "?how=ever",
    "?pick=alone",
  ]) {
    assert.deepEqual(readState(query), EMPTY, query);
  }
});

test("numbers beyond what there is are brought to the end of it", () => {
  assert.equal(readState("?opacity=250").opacity, 100);
  assert.equal(readState("?opacity=-3").opacity, 0);
  assert.equal(readState("?at=0/0/40").view?.zoom, 22);
});

test("ids with signs of their own survive", () => {
  const odd = { ...EMPTY, collection: "a&b=c/d ä", item: "x?y#z+1" };
  assert.deepEqual(readState(writeState(odd)), odd);
});
