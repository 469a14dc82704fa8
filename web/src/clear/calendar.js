// The calendar of a polygon's sky: a block half a year, a column a week, the best share of each day.

import { h, s } from "../dom.js";
import { longDay, percent } from "../facts.js";
import { addDays, daysBetween } from "../timeline.js";
import { clearSeen } from "./series.js";

/** @typedef {import("./series.js").Acquisition} Acquisition */
/** @typedef {import("./series.js").Day} Day */

/** Steps of the scale, as the tile server's own calendar has them. */
const STEPS = 6;
const [CELL, GAP, LEFT, TOP] = [10.4, 1.6, 27, 15];
const PITCH = CELL + GAP;
/** Of half a year, the first and the last one cut. */
const WEEKS = 28;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = { 0: "Mon", 3: "Thu", 6: "Sun" };

/** 0 to 5. @param {number} share  0 to 1. */
export const stepOf = (share) => Math.min(STEPS - 1, Math.floor(share * STEPS));

/** Monday is 0. @param {string} day */
const weekdayOf = (day) => (new Date(day).getUTCDay() + 6) % 7;

/** First day of the half of a year that a day is in. @param {string} day */
export const halfOf = (day) => `${day.slice(0, 4)}-${day.slice(5, 7) < "07" ? "01" : "07"}-01`;

/** Column and row of a day in the block of its half year. @param {string} day */
export function placeOf(day) {
  const first = halfOf(day);
  const week = Math.floor((daysBetween(first, day) + weekdayOf(first)) / 7);
  return { week, weekday: weekdayOf(day) };
}

/** @param {string} title @param {Day[]} days */
function words(title, days) {
  const best = days.reduce((a, b) => (clearSeen(b.best) > clearSeen(a.best) ? b : a));
  const count = days.length === 1 ? "1 day" : `${days.length} days`;
  return `${title}: ${count} with an acquisition; the clearest is ${longDay(best.day)}, ${percent(clearSeen(best.best))} of the field seen clear`;
}

/**
 * @param {HTMLElement} element
 * @param {{ pick: (one: Acquisition) => void }} doing
 */
export function createCalendar(element, { pick }) {
  /** @param {Day} day @param {string | null} picked @param {boolean} isTarget */
  function cell({ day, best }, picked, isTarget) {
    const { week, weekday } = placeOf(day);
    const name = `${longDay(day)}: ${percent(clearSeen(best))} seen clear`;
    const isPicked = picked !== null && best.items.includes(picked);
    const rect = s(
      "rect",
      {
        x: LEFT + week * PITCH,
        y: TOP + weekday * PITCH,
        width: CELL,
        height: CELL,
        rx: 2,
        class: `sky-day step-${stepOf(clearSeen(best))}${isPicked ? " picked" : ""}`,
        role: "button",
        tabindex: isTarget ? 0 : -1,
        "aria-label": name,
        "aria-pressed": String(isPicked),
      },
      s("title", {}, name),
    );
    rect.addEventListener("click", () => pick(best));
    rect.addEventListener("keydown", (event) => {
      const { key } = /** @type {KeyboardEvent} */ (event);
      const all = /** @type {SVGElement[]} */ ([...element.querySelectorAll(".sky-day")]);
      const at = all.indexOf(/** @type {SVGElement} */ (rect));
      const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[key];
      if (key === "Enter" || key === " ") pick(best);
      else if (next === undefined) return;
      else if (all[next]) {
        rect.setAttribute("tabindex", "-1");
        all[next].setAttribute("tabindex", "0");
        all[next].focus();
      }
      event.preventDefault();
    });
    return rect;
  }

  /** @param {string} half @param {string} caption @param {Day[]} days @param {string | null} picked @param {Day | undefined} target */
  function block(half, caption, days, picked, target) {
    const year = half.slice(0, 4);
    const start = Number(half.slice(5, 7)) - 1;
    const months = MONTHS.slice(start, start + 6);
    const title = `${months[0]} to ${months[5]} ${year}`;
    const names = months.map((name, month) => {
      const first = `${year}-${String(start + month + 1).padStart(2, "0")}-01`;
      return s("text", { x: LEFT + placeOf(first).week * PITCH, y: TOP - 4 }, name);
    });
    const rows = Object.entries(WEEKDAYS).map(([row, name]) =>
      s("text", { x: 0, y: TOP + Number(row) * PITCH + CELL - 2 }, name),
    );
    const ground = [];
    for (let day = half; halfOf(day) === half; day = addDays(day, 1)) {
      const { week, weekday } = placeOf(day);
      const place = { x: LEFT + week * PITCH, y: TOP + weekday * PITCH };
      ground.push(s("rect", { ...place, width: CELL, height: CELL, rx: 2, class: "none" }));
    }
    const size = `0 0 ${LEFT + WEEKS * PITCH} ${TOP + 7 * PITCH + 2}`;
    return h(
      "figure",
      {},
      caption && h("figcaption", {}, caption),
      s(
        "svg",
        { viewBox: size, class: "calendar", role: "group", "aria-label": words(title, days) },
        ...names,
        ...rows,
        ...ground,
        ...days.map((day) => cell(day, picked, day === target)),
      ),
    );
  }

  return {
    /** @param {Day[]} days  By time. @param {string | null} picked */
    show(days, picked) {
      const focused = element.contains(document.activeElement);
      const halves = [...new Set(days.map(({ day }) => halfOf(day)))];
      // The latest year first, whose halves stay in order.
      halves.sort((a, b) => b.slice(0, 4).localeCompare(a.slice(0, 4)) || a.localeCompare(b));
      const target = days.find(({ best }) => picked && best.items.includes(picked)) ?? days.at(-1);
      element.replaceChildren(
        ...halves.map((half, index) => {
          const year = half.slice(0, 4);
          const caption = halves[index - 1]?.startsWith(year) ? "" : year;
          const own = days.filter(({ day }) => halfOf(day) === half);
          return block(half, caption, own, picked, target);
        }),
      );
      if (!halves.length) return;
      const scale = Array.from({ length: STEPS }, (_, step) => h("i", { class: `step-${step}` }));
      element.append(
        h("p", { class: "sky-key soft" }, "0 %", h("span", { class: "sky-steps", "aria-hidden": "true" }, ...scale), "100 % of the field seen clear"),
      );
      const pressed = /** @type {SVGElement | null} */ (element.querySelector(".sky-day[tabindex='0']"));
      if (focused) pressed?.focus();
    },
  };
}
