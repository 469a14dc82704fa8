// Days of a tile as a calendar of one year.

/** @typedef {import("./types").Coverage} Coverage */
/** @typedef {import("./types").CoveredTile} CoveredTile */
/** @typedef {{ date: string, day: number, state: Coverage | null, products: CoveredTile["days"][number]["products"] }} Day */

/** The first that any product of a day is in gives the day its colour. */
export const WORST_FIRST = /** @type {[Coverage, string][]} */ ([
  ["failed", "failed"],
  ["missing", "missing"],
  ["running", "running"],
  ["waiting", "waiting"],
  ["masked", "masked"],
]);

/**
 * The months of a year, each with all of its days.
 *
 * @param {number} year
 * @param {CoveredTile["days"]} covered
 * @returns {{ month: number, first: number, days: Day[] }[]}  `first`: weekday of the first day,
 *   0 for Monday.
 */
export function monthsOf(year, covered) {
  const known = new Map(covered.map((day) => [day.date, day.products]));
  return Array.from({ length: 12 }, (_, month) => {
    const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    const first = (new Date(Date.UTC(year, month, 1)).getUTCDay() + 6) % 7;
    const days = Array.from({ length: count }, (_unused, index) => {
      const date = new Date(Date.UTC(year, month, index + 1)).toISOString().slice(0, 10);
      const products = known.get(date) ?? [];
      const states = new Set(products.map(({ state }) => state));
      const state = WORST_FIRST.map(([name]) => name).find((name) => states.has(name)) ?? null;
      return { date, day: index + 1, state, products };
    });
    return { month, first, days };
  });
}

/** Products by state. @param {CoveredTile["days"]} covered */
export function countsOf(covered) {
  /** @type {Map<Coverage, number>} */
  const counts = new Map(WORST_FIRST.map(([state]) => [state, 0]));
  for (const { products } of covered) {
    for (const { state } of products) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}
