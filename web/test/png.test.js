import assert from "node:assert/strict";
import { test } from "node:test";

import { crc32, hideEntries } from "../src/png.js";

/** @param {string} text */
const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** @param {string} kind @param {number[]} data */
function chunk(kind, data) {
  const body = Buffer.from([...ascii(kind), ...data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return [...length, ...body, ...check];
}

/** @param {...number[]} chunks */
function png(...chunks) {
  return Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, ...chunks.flat()]).buffer;
}

test("the CRC is the one that PNG wants", () => {
  // Of "123456789" by the catalogue of CRCs, and of the IEND that every PNG ends with.
  assert.equal(crc32(ascii("123456789")), 0xcbf43926);
  assert.equal(crc32(ascii("IEND")), 0xae426082);
});

test("hidden entries are see-through, all others stay, and the check is right again", () => {
  const head = chunk("IHDR", new Array(13).fill(0));
  const end = [...chunk("IDAT", [9, 9]), ...chunk("IEND", [])];
  const image = png(head, chunk("PLTE", [1, 2, 3]), chunk("tRNS", [0, 70, 220, 210, 235]), end);
  hideEntries(image, [1, 4, 7]);
  const wanted = png(head, chunk("PLTE", [1, 2, 3]), chunk("tRNS", [0, 0, 220, 210, 0]), end);
  assert.deepEqual(new Uint8Array(image), new Uint8Array(wanted));
});

test("what has no such palette stays as it is", () => {
  const pixels = chunk("IDAT", [...ascii("tRNS"), 1, 2, 3]);
  for (const image of [png(pixels), new ArrayBuffer(0), ascii("not a PNG at all").buffer]) {
    const before = new Uint8Array(image.slice(0));
    hideEntries(image, [0, 1]);
    assert.deepEqual(new Uint8Array(image), before);
  }
});
