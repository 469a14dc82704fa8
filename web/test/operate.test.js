import assert from "node:assert/strict";
import { test } from "node:test";

import { countsOf, monthsOf } from "../src/operate/calendar.js";
import { specOf } from "../src/operate/spec.js";
import { createReader } from "../src/operate/stream.js";
import { bytes, duration, lineOf, sourceOf, stepsOf, wantedOf } from "../src/operate/words.js";

/** @typedef {import("../src/operate/types").Backfill} Backfill */

/** @param {Partial<Backfill>} [change] @returns {Backfill} */
function backfill(change = {}) {
  return {
    id: "1a2b3c4d",
    name: "february",
    engine: "ukis-csmask",
    state: "running",
    priority: 5,
    created: "2026-01-02T03:04:05Z",
    created_by: "maria",
    spec: { source: { kind: "folder", address: "/eodata" }, filters: {} },
    found: 30,
    skipped: {},
    counts: { held: 0, due: 10, queued: 5, running: 2, done: 12, failed: 1, aborted: 0 },
    total: 30,
    done_share: 0.4,
    rate_per_hour: 240,
    eta_s: 255,
    error: null,
    ...change,
  };
}

test("events are read from pieces cut anywhere, heartbeats are no events", () => {
  const text =
    ': ping\n\nevent: state\nid: 1\ndata: {"a":\ndata: 1}\n\nevent: problem\r\ndata: x\r\n\r\ndata: y\n\n';
  for (let size = 1; size <= text.length; size += 1) {
    /** @type {[string, string][]} */
    const heard = [];
    const feed = createReader((event, data) => heard.push([event, data]));
    for (let at = 0; at < text.length; at += size) feed(text.slice(at, at + size));
    assert.deepEqual(
      heard,
      [
        ["state", '{"a":\n1}'],
        ["problem", "x"],
        ["message", "y"],
      ],
      `pieces of ${size}`,
    );
  }
});

test("spans of time have their two largest units, rounded once", () => {
  assert.deepEqual(
    [null, 0, 1, 59.6, 61, 3599, 3600, 7261, 86399, 90000, 400000].map(duration),
    [
      "unknown",
      "no time",
      "1 s",
      "1 min",
      "1 min 1 s",
      "59 min 59 s",
      "1 h",
      "2 h 1 min",
      "1 d",
      "1 d 1 h",
      "4 d 15 h",
    ],
  );
});

test("sizes are written for people", () => {
  assert.deepEqual([0, 999, 1000, 12_345_678, 3.2e12].map(bytes), [
    "0 bytes",
    "999 bytes",
    "1.0 kB",
    "12 MB",
    "3.2 TB",
  ]);
});

test("a line says how far a backfill is, and why it got nowhere", () => {
  assert.equal(
    lineOf(backfill()),
    "12 of 30 products · 1 failed · 240 an hour · 4 min 15 s left",
  );
  assert.equal(lineOf(backfill({ state: "paused" })), "12 of 30 products · 1 failed");
  assert.equal(lineOf(backfill({ state: "failed", error: "no such folder" })), "no such folder");
});

test("only steps that a backfill can take are offered", () => {
  const none = { held: 0, due: 0, queued: 0, running: 0, done: 3, failed: 0, aborted: 0 };
  assert.deepEqual(stepsOf(backfill()), ["pause", "retry", "abort"]);
  assert.deepEqual(stepsOf(backfill({ state: "paused", counts: none })), ["resume", "abort"]);
  assert.deepEqual(stepsOf(backfill({ state: "done", counts: none })), []);
  assert.deepEqual(stepsOf(backfill({ state: "aborted", counts: { ...none, aborted: 2 } })), ["retry"]);
});

test("what was asked for is told in words", () => {
  assert.equal(sourceOf({ source: { kind: "names", names: ["a"], names_in_all: 2000 } }), "2,000 names");
  assert.equal(wantedOf({}), "every product");
  assert.equal(
    wantedOf({ filters: { start: "2024-01-01", tiles: ["33UUU"], max_cloud: 0, level: "L1C" } }),
    "2024-01-01 to … · tiles 33UUU · L1C · at most 0 % cloud",
  );
});

test("a form asks for just what was filled in", () => {
  assert.deepEqual(
    specOf({
      name: "",
      kind: "folder",
      address: "/eodata",
      names: "left over",
      tiles: "33UUU, t33uvu",
      bbox: "12 52 14 53.5",
      cloud: "0",
      engine: "auto",
      priority: "9",
      level: "",
    }),
    {
      engine: "auto",
      priority: 9,
      source: { kind: "folder", address: "/eodata" },
      filters: { tiles: ["33UUU", "t33uvu"], bbox: [12, 52, 14, 53.5], max_cloud: 0 },
    },
  );
  assert.deepEqual(specOf({ kind: "names", names: "a.SAFE\nb.SAFE\n", address: "/left/over" }).source, {
    kind: "names",
    names: ["a.SAFE", "b.SAFE"],
  });
});

test("a calendar has every day of the year, coloured by what needs looking at most", () => {
  /** @param {import("../src/operate/types").Coverage} state */
  const product = (state) => ({ product: "p", engine: "e", state, version: null, detail: null });
  const covered = [
    { date: "2024-02-29", products: [product("masked"), product("failed")] },
    { date: "2024-12-31", products: [product("masked")] },
  ];
  const months = monthsOf(2024, covered);
  assert.equal(months.flatMap(({ days }) => days).length, 366);
  // 1 January 2024 was a Monday, 1 September a Sunday.
  assert.deepEqual([months[0].first, months[8].first], [0, 6]);
  assert.deepEqual([months[1].days[28].state, months[11].days[30].state], ["failed", "masked"]);
  assert.equal(months[5].days[0].state, null);
  assert.deepEqual([countsOf(covered).get("masked"), countsOf(covered).get("failed")], [2, 1]);
});
