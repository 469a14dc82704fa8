// Polygons out of the geometry column of a GeoPackage: a short header, then well-known binary.
//
// OGC 12-128r19, clause 2.1.3, and OGC 06-103r4, clause 8.

import { AreaError } from "./errors.js";

/** @typedef {import("../types").Position} Position */

const MAGIC = 0x4750;
/** Bytes of the header's envelope by its kind. */
const ENVELOPES = [0, 32, 48, 48, 64];
const [POLYGON, MULTI_POLYGON, COLLECTION] = [3, 6, 7];
/** As PostGIS writes heights: flags in the highest bits. */
const [HAS_Z, HAS_M, HAS_SRID] = [0x80000000, 0x40000000, 0x20000000];

/** Reads numbers one after the other. */
class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.little = true;
  }

  byte() {
    return this.view.getUint8(this.at++);
  }

  int() {
    this.at += 4;
    return this.view.getUint32(this.at - 4, this.little);
  }

  double() {
    this.at += 8;
    return this.view.getFloat64(this.at - 8, this.little);
  }
}

/** @param {Reader} reader */
function kindOf(reader) {
  reader.little = reader.byte() === 1;
  const code = reader.int();
  if (code & HAS_SRID) reader.int();
  const plain = code & 0xffff;
  const iso = Math.floor(plain / 1000);
  const extra = (code & HAS_Z ? 1 : 0) + (code & HAS_M ? 1 : 0) + [0, 1, 1, 2][iso];
  return { kind: plain % 1000, extra };
}

/** @param {Reader} reader @param {number} extra  Numbers of a point besides its x and y. */
function ring(reader, extra) {
  /** @type {Position[]} */
  const points = [];
  for (let left = reader.int(); left > 0; left -= 1) {
    points.push([reader.double(), reader.double()]);
    reader.at += extra * 8;
  }
  return points;
}

/** @param {Reader} reader @returns {Position[][][]} */
function polygons(reader) {
  const { kind, extra } = kindOf(reader);
  const count = [POLYGON, MULTI_POLYGON, COLLECTION].includes(kind) ? reader.int() : 0;
  if (kind === POLYGON) {
    const rings = Array.from({ length: count }, () => ring(reader, extra));
    return rings.length ? [rings] : [];
  }
  return Array.from({ length: count }, () => polygons(reader)).flat();
}

/**
 * @param {Uint8Array} blob  A value of a geometry column.
 * @returns {Position[][][]}  In the column's own coordinates; empty for points and lines.
 * @throws {AreaError}
 */
export function polygonsOfBlob(blob) {
  const reader = new Reader(blob);
  try {
    if (reader.view.getUint16(0) !== MAGIC) throw new RangeError("no header");
    reader.at = 3;
    const flags = reader.byte();
    reader.at += 4 + ENVELOPES[(flags >> 1) & 7];
    return flags & 16 ? [] : polygons(reader);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AreaError("A geometry of the GeoPackage is damaged.");
  }
}
