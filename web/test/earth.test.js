import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { archiveOf, archivesOf } from "../src/archives.js";

const folder = new URL("../vendor/earth/", import.meta.url);
const skip = existsSync(folder) ? false : "web/vendor.sh has not run";

/** @param {string} name @returns {string[]} Tiles that a file holds. */
function tilesIn(name) {
  const bytes = readFileSync(new URL(name, folder));
  const length = bytes.readUInt32LE(0);
  return Object.keys(JSON.parse(bytes.subarray(4, 4 + length).toString()));
}

test("a tile is in the file of the tile two zooms above, or of the world", () => {
  assert.equal(archiveOf("0/0/0"), "world");
  assert.equal(archiveOf("1/1/0"), "world");
  assert.equal(archiveOf("2/3/1"), "1-1-0");
  assert.equal(archiveOf("3/7/2"), "1-1-0");
  assert.equal(archiveOf("5/17/10"), "3-4-2");
});

test("every tile that was cut is found where the page looks for it", { skip }, () => {
  let count = 0;
  for (const name of readdirSync(folder)) {
    for (const tile of tilesIn(name)) {
      count += 1;
      assert.equal(`${archiveOf(tile)}.tiles`, name, tile);
    }
  }
  assert.ok(count > 900);
});

test("every tile has a file, open sea too", { skip }, () => {
  const files = new Set(readdirSync(folder));
  for (let z = 0; z <= 5; z += 1) {
    for (let x = 0; x < 2 ** z; x += 1) {
      for (let y = 0; y < 2 ** z; y += 1) {
        assert.ok(files.has(`${archiveOf(`${z}/${x}/${y}`)}.tiles`), `${z}/${x}/${y}`);
      }
    }
  }
});

test("a view needs the files of its tiles, beyond the antimeridian too", () => {
  assert.deepEqual([...archivesOf([-20, -10, 40, 60], 1.4)], ["world"]);
  assert.deepEqual([...archivesOf([12, 52, 13, 53], 9)], ["3-4-2"]);
  assert.deepEqual([...archivesOf([170, -20, 200, 20], 3.9)].sort(), [
    "1-0-0",
    "1-0-1",
    "1-1-0",
    "1-1-1",
  ]);
});
