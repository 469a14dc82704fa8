// Days of a catalogue, gathered to the bars of a timeline.

/** @typedef {import("./types").Bin} Bin */

const DAY_MS = 86_400_000;
/** Days that a timeline shows at the least, so that a single day is not a wall. */
const LEAST_DAYS = 45;
/** @type {Intl.DateTimeFormat | undefined} */
let monthFormat;

/** @param {string} day @param {number} days */
export function addDays(day, days) {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Whole days from one day to another. @param {string} from @param {string} to */
export function daysBetween(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/**
 * First and last day of the timeline of some days; the months at both ends are whole.
 *
 * @param {string[]} days
 * @returns {[string, string] | null}
 */
export function spanOf(days) {
  if (!days.length) return null;
  const sorted = [...days].sort();
  let [first, last] = [sorted[0], sorted[sorted.length - 1]];
  const lack = LEAST_DAYS - daysBetween(first, last) - 1;
  if (lack > 0) {
    first = addDays(first, -Math.ceil(lack / 2));
    last = addDays(last, Math.floor(lack / 2));
  }
  return [`${first.slice(0, 7)}-01`, endOfMonth(last)];
}

/** @param {string} day */
function endOfMonth(day) {
  const [year, month] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
}

/** @param {string} day  @param {"day" | "week" | "month"} step @param {string} start */
function binStart(day, step, start) {
  if (step === "month") return `${day.slice(0, 7)}-01`;
  if (step === "week") return addDays(start, Math.floor(daysBetween(start, day) / 7) * 7);
  return day;
}

/**
 * The finest of day, week and month whose bars still fit.
 *
 * @param {[string, string]} span
 * @param {number} bars  How many bars there is room for.
 * @returns {"day" | "week" | "month"}
 */
export function stepFor([first, last], bars) {
  const days = daysBetween(first, last) + 1;
  if (days <= bars) return "day";
  return days / 7 <= bars ? "week" : "month";
}

/**
 * Gather products to bars; a bar without products is left out.
 *
 * @param {import("./types").Day[]} products
 * @param {[string, string]} span
 * @param {"day" | "week" | "month"} step
 * @returns {Bin[]}  By time.
 */
export function binDays(products, [first, last], step) {
  /** @type {Map<string, { count: number, known: number, clear: number }>} */
  const sums = new Map();
  for (const { day, clear, count } of products) {
    if (day < first || day > last) continue;
    const start = binStart(day, step, first);
    const sum = sums.get(start) ?? { count: 0, known: 0, clear: 0 };
    sum.count += count;
    if (clear !== null) {
      sum.known += count;
      sum.clear += clear * count;
    }
    sums.set(start, sum);
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([from, { count, known, clear }]) => {
    const end = step === "day" ? from : step === "week" ? addDays(from, 6) : endOfMonth(from);
    return {
      from,
      to: end < last ? end : last,
      count,
      clear: known ? clear / known : null,
    };
  });
}

/**
 * Days at which a timeline has its marks: months, or years where there are many.
 *
 * @param {[string, string]} span
 * @param {number} most  Marks there is room for.
 * @returns {{ day: string, label: string }[]}
 */
export function marksOf([first, last], most) {
  const [year, month] = first.split("-").map(Number);
  const [lastYear, lastMonth] = last.split("-").map(Number);
  const months = (lastYear - year) * 12 + lastMonth - month + 1;
  const every = [1, 2, 3, 6, 12, 24, 60].find((step) => months / step <= most) ?? 120;
  monthFormat ??= new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });
  /** @type {{ day: string, label: string }[]} */
  const marks = [];
  for (let index = 0; index < months; index += 1) {
    const date = new Date(Date.UTC(year, month - 1 + index, 1));
    const count = date.getUTCFullYear() * 12 + date.getUTCMonth();
    if (count % every) continue;
    const name = monthFormat.format(date);
    const fullYear = date.getUTCFullYear();
    const firstOfYear = marks.length === 0 || date.getUTCMonth() < every;
    const label = every >= 12 ? String(fullYear) : firstOfYear ? `${name} ${fullYear}` : name;
    marks.push({ day: date.toISOString().slice(0, 10), label });
  }
  return marks;
}
