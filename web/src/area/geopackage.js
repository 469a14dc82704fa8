// Polygons out of a GeoPackage, read where it is dropped; it is sent nowhere.
//
// SQLite runs in a worker, so that a large file holds nothing up, and under no policy that would
// have to allow WebAssembly on the page. Both libraries are loaded when somebody needs them.

import { geometryOf } from "./encoding.js";
import { AreaError } from "./errors.js";
import { ringOf } from "./geojson.js";
import { polygonsOfBlob } from "./wkb.js";

/** @typedef {import("./geojson.js").Field} Field */
/** @typedef {import("../types").Position} Position */
/** @typedef {{ columns: string[], values: any[][] }} Table */

const LAYERS = `SELECT g.table_name, g.column_name, s.organization, s.organization_coordsys_id,
  s.definition, s.srs_name
  FROM gpkg_geometry_columns g LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id`;
/** More than anybody chooses one of. */
const MOST_FEATURES = 2000;
const NAME = /name|title|label/i;

/** @param {string} name */
const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

/**
 * Open a database in a worker.
 *
 * @param {ArrayBuffer} buffer
 */
function openDatabase(buffer) {
  const worker = new Worker(new URL("../../vendor/worker.sql-wasm.js", import.meta.url));
  let last = 0;

  /** @param {Record<string, unknown>} message @returns {Promise<any>} */
  function ask(message) {
    const id = (last += 1);
    return new Promise((resolve, reject) => {
      const done = new AbortController();
      const { signal } = done;
      worker.addEventListener("message", ({ data }) => {
        if (data.id !== id) return;
        done.abort();
        if (data.error) reject(new AreaError(`The GeoPackage cannot be read: ${data.error}.`));
        else resolve(data);
      }, { signal });
      worker.addEventListener("error", () => {
        done.abort();
        reject(new AreaError("What reads GeoPackages cannot be loaded. Is the stack running?"));
      }, { signal });
      worker.postMessage({ id, ...message });
    });
  }

  return {
    open: () => ask({ action: "open", buffer }),
    /** @param {string} sql @returns {Promise<Table>} */
    async read(sql) {
      const { results } = await ask({ action: "exec", sql });
      return results[0] ?? { columns: [], values: [] };
    },
    close: () => worker.terminate(),
  };
}

/**
 * How coordinates of a layer become degrees.
 *
 * @param {string | null} organization
 * @param {number | null} code
 * @param {string | null} definition  WKT.
 * @param {string | null} name
 * @returns {Promise<(position: Position) => Position>}
 */
async function toDegrees(organization, code, definition, name) {
  if (organization?.toUpperCase() === "EPSG" && code === 4326) return (position) => position;
  if (!definition || definition === "undefined") {
    throw new AreaError("A layer of the GeoPackage does not say what its coordinates are.");
  }
  await import(new URL("../../vendor/proj4.js", import.meta.url).href);
  const { proj4 } = /** @type {any} */ (globalThis);
  try {
    const { forward } = proj4(definition, "EPSG:4326");
    // Heights and datum grids aside, within a few metres.
    return ([x, y]) => /** @type {Position} */ (forward([x, y]).slice(0, 2));
  } catch {
    throw new AreaError(`The page cannot compute with ${name ?? "the layer's coordinates"}. Save it in EPSG:4326.`);
  }
}

/** @param {ReturnType<typeof openDatabase>} database @param {any[]} layer @returns {Promise<Field[]>} */
async function fieldsOfLayer(database, [table, column, organization, code, definition, name]) {
  const { columns, values } = await database.read(
    `SELECT * FROM ${quoted(table)} LIMIT ${MOST_FEATURES}`,
  );
  const at = columns.indexOf(column);
  const named = columns.findIndex((one, index) => index !== at && NAME.test(one));
  /** @type {((position: Position) => Position) | null} */
  let turned = null;
  const fields = [];
  for (const row of values) {
    const polygons = row[at] ? polygonsOfBlob(row[at]) : [];
    if (!polygons.length) continue;
    const change = (turned ??= await toDegrees(organization, code, definition, name));
    const degrees = polygons.map((rings) => rings.map((ring) => ringOf(ring.map(change))));
    fields.push({ name: String(row[named] ?? ""), geometry: geometryOf(degrees) });
  }
  return fields;
}

/**
 * Every feature of every layer that is a polygon.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Promise<Field[]>}
 * @throws {AreaError}
 */
export async function fieldsOfGeoPackage(buffer) {
  const database = openDatabase(buffer);
  try {
    await database.open();
    const fields = [];
    for (const layer of (await database.read(LAYERS)).values) {
      fields.push(...(await fieldsOfLayer(database, layer)));
    }
    return fields;
  } finally {
    database.close();
  }
}
