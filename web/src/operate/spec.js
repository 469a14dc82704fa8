// What a form asks for, as the administration wants it told.

/** Names of the fields that a form may have; each is as it was typed. */
export const FIELDS = /** @type {const} */ ([
  "name",
  "kind",
  "address",
  "names",
  "collections",
  "asset",
  "root",
  "start",
  "end",
  "tiles",
  "bbox",
  "level",
  "baseline",
  "cloud",
  "engine",
  "priority",
]);

/** @typedef {Partial<Record<typeof FIELDS[number], string>>} Values */

/** @param {string | undefined} text */
const words = (text) => (text ?? "").split(/[\s,;]+/).filter(Boolean);

/** Leave out what was left empty. @param {Record<string, unknown>} all */
const told = (all) =>
  Object.fromEntries(
    Object.entries(all).filter(
      ([, value]) => value !== undefined && value !== "" && !(Array.isArray(value) && !value.length),
    ),
  );

/** @param {Values} values */
function sourceOf({ kind = "folder", address, names, collections, asset, root }) {
  if (kind === "names") return told({ kind, names: words(names), root });
  if (kind === "stac") return told({ kind, address, collections: words(collections), asset, root });
  return told({ kind, address });
}

/**
 * @param {Values} values
 * @returns {Record<string, unknown>}
 */
export function specOf(values) {
  const bbox = words(values.bbox).map(Number);
  const { name, engine, start, end, level } = values;
  return told({
    name,
    engine,
    priority: values.priority ? Number(values.priority) : undefined,
    source: sourceOf(values),
    filters: told({
      start,
      end,
      tiles: words(values.tiles),
      bbox,
      level,
      baseline_min: values.baseline,
      max_cloud: values.cloud ? Number(values.cloud) : undefined,
    }),
  });
}
