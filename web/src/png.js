// The palette of a PNG, changed without unpacking its pixels.

/** After the signature of a PNG. */
const FIRST_CHUNK = 8;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

/** CRC-32 as PNG has it. @param {Uint8Array} bytes */
export function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (rest >>> 8) ^ CRC_TABLE[(rest ^ byte) & 0xff];
  return ~rest >>> 0;
}

/**
 * Make entries of a palette see-through, in place. What has no such palette stays as it is.
 *
 * @param {ArrayBuffer} png
 * @param {number[]} entries
 */
export function hideEntries(png, entries) {
  const view = new DataView(png);
  let at = FIRST_CHUNK;
  while (at + 12 <= png.byteLength) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...new Uint8Array(png, at + 4, 4));
    if (kind === "tRNS") {
      const opacities = new Uint8Array(png, at + 8, length);
      for (const entry of entries) if (entry < length) opacities[entry] = 0;
      view.setUint32(at + 8 + length, crc32(new Uint8Array(png, at + 4, 4 + length)));
      return;
    }
    if (kind === "IDAT") return;
    at += 12 + length;
  }
}
