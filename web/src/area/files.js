// Polygons out of a file or a text that somebody dropped, chose or pasted.

import { geometryOf, polygonsOf } from "./encoding.js";
import { AreaError } from "./errors.js";
import { fieldsOfGeoJson } from "./geojson.js";
import { fieldsOfGeoPackage } from "./geopackage.js";
import { fieldsOfKml } from "./kml.js";

/** @typedef {import("./geojson.js").Field} Field */

export const ACCEPTED = ".geojson,.json,.kml,.gpkg,application/geo+json";
/** Larger files hold more than one field's outline. */
const MOST_BYTES = 50e6;
const SQLITE = "SQLite format 3";
const ZIP = "PK\u0003\u0004";

/**
 * @param {string} text
 * @returns {Field[]}
 * @throws {AreaError}
 */
export function fieldsOfText(text) {
  const start = text.replace(/^\uFEFF/, "").trimStart();
  if (start.startsWith("<")) return fieldsOfKml(start);
  try {
    return fieldsOfGeoJson(JSON.parse(start));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AreaError("That is neither GeoJSON nor KML.");
  }
}

/**
 * @param {File} file
 * @returns {Promise<Field[]>}  At least one.
 * @throws {AreaError}
 */
export async function fieldsOfFile(file) {
  if (file.size > MOST_BYTES) {
    throw new AreaError(
      `${file.name} has ${Math.round(file.size / 1e6)} MB, and ${MOST_BYTES / 1e6} MB is the most. Save only the field you mean.`,
    );
  }
  const start = await file.slice(0, SQLITE.length).text();
  if (start.startsWith(ZIP)) {
    throw new AreaError(`${file.name} is an archive. Unpack it and drop what is in it.`);
  }
  const fields =
    start === SQLITE
      ? await fieldsOfGeoPackage(await file.arrayBuffer())
      : fieldsOfText(await file.text());
  if (!fields.length) throw new AreaError(`${file.name} has no polygon in it.`);
  return fields;
}

/** All of some fields as one geometry. @param {Field[]} fields */
export const together = (fields) =>
  geometryOf(fields.flatMap(({ geometry }) => polygonsOf(geometry)));
