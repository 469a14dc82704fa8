// The time series of a polygon's sky: a bar an acquisition, its classes stacked, walked by keys.

import { h, s } from "../dom.js";
import { longDay, percent } from "../facts.js";
import { addDays, daysBetween, marksOf } from "../timeline.js";
import { clearSeen, dayOf, isClear, STACK } from "./series.js";

/** @typedef {import("./series.js").Acquisition} Acquisition */
/** @typedef {Map<string, { title: string, color: string }>} Looks  Of classes by name. */

const HEIGHT_PX = 104;
const [LEFT_PX, RIGHT_PX] = [40, 8];
const [NARROW_PX, WIDE_PX] = [2.5, 16];
/** Shares that the axis names. */
const TICKS = [0, 50, 100];

/** @param {Acquisition} one @param {Looks} looks */
export function wordsOf(one, looks) {
  const shares = STACK.filter((name) => one[name]).map(
    (name) => `${percent(one[name])} ${(looks.get(name)?.title ?? name).toLowerCase()}`,
  );
  const part = one.coverage < 1 ? `, of the ${percent(one.coverage)} that it covers` : "";
  const said = one.clear === null ? "a mask cannot be read" : `${shares.join(", ")}${part}`;
  return `${longDay(dayOf(one))}: ${said}`;
}

/**
 * @param {HTMLElement} element
 * @param {{ pick: (one: Acquisition) => void }} doing
 */
export function createPlot(element, { pick }) {
  /** @type {Acquisition[]} */
  let shown = [];
  /** @type {Looks} */
  let looks = new Map();
  let least = 0;
  /** @type {string | null} */
  let picked = null;
  /** @type {[string, string] | null} */
  let span = null;
  let at = 0;

  const caption = h("p", { class: "caption" });
  const picture = s("svg", { class: "plot", height: HEIGHT_PX, "aria-hidden": "true" });
  const cursor = h("div", { class: "cursor", hidden: true });
  const slider = h(
    "div",
    {
      class: "track",
      role: "slider",
      tabIndex: 0,
      "aria-label": "Acquisitions",
      onkeydown: (/** @type {KeyboardEvent} */ event) => walk(event),
      onclick: (/** @type {MouseEvent} */ event) => choose(nearest(event)),
      onpointermove: (/** @type {PointerEvent} */ event) => {
        if (event.pointerType === "mouse") look(nearest(event));
      },
      onpointerleave: rest,
      onfocus: () => look(at),
      onblur: rest,
    },
    cursor,
  );
  slider.prepend(picture);
  const marks = h("div", { class: "marks", "aria-hidden": "true" });
  element.append(h("div", { class: "head" }, caption), slider, marks);

  const width = () => Math.max(1, slider.clientWidth - LEFT_PX - RIGHT_PX);

  /** Middle of a day, pixels. @param {string} day */
  function xOf(day) {
    if (!span) return LEFT_PX;
    const days = daysBetween(...span) + 1;
    return LEFT_PX + ((daysBetween(span[0], day) + 0.5) / days) * width();
  }

  /** @param {number} share  0 to 1. */
  const yOf = (share) => HEIGHT_PX - 3 - share * (HEIGHT_PX - 12);

  function barWidth() {
    const gaps = shown.slice(1).map((one, index) => xOf(dayOf(one)) - xOf(dayOf(shown[index])));
    const least = Math.min(WIDE_PX / 0.7, ...gaps.filter((gap) => gap > 0));
    return Math.max(NARROW_PX, least * 0.7);
  }

  /** @param {MouseEvent} event */
  function nearest(event) {
    const x = event.clientX - slider.getBoundingClientRect().left;
    const away = shown.map((one) => Math.abs(xOf(dayOf(one)) - x));
    return away.indexOf(Math.min(...away));
  }

  /** @param {number} index */
  function look(index) {
    const one = shown[index];
    if (!one) return;
    at = index;
    cursor.hidden = false;
    cursor.style.left = `${xOf(dayOf(one))}px`;
    caption.textContent = wordsOf(one, looks);
    slider.setAttribute("aria-valuenow", String(index));
    slider.setAttribute("aria-valuetext", wordsOf(one, looks));
  }

  function rest() {
    const index = shown.findIndex((one) => picked && one.items.includes(picked));
    if (index >= 0) {
      look(index);
      return;
    }
    cursor.hidden = true;
    caption.textContent = summary();
  }

  function summary() {
    if (!shown.length) return "";
    const clear = shown.filter((one) => isClear(one, least)).length;
    const all = shown.length === 1 ? "1 acquisition" : `${shown.length.toLocaleString("en")} acquisitions`;
    return `${all}, ${clear.toLocaleString("en")} of them at least ${least} % clear`;
  }

  /** @param {number} index */
  function choose(index) {
    if (!shown[index]) return;
    look(index);
    pick(shown[index]);
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    const last = shown.length - 1;
    const next = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - 10,
      PageUp: at + 10,
      Home: 0,
      End: last,
    }[event.key];
    if (next !== undefined) look(Math.min(last, Math.max(0, next)));
    else if (event.key === "Enter" || event.key === " ") choose(at);
    else return;
    event.preventDefault();
  }

  /** @param {Acquisition} one @param {number} wide */
  function bar(one, wide) {
    const x = xOf(dayOf(one)) - wide / 2;
    let from = 0;
    const parts = STACK.flatMap((name) => {
      const share = (one[name] ?? 0) * one.coverage;
      if (!share) return [];
      const top = yOf(from + share);
      const height = yOf(from) - top;
      from += share;
      const look = { x, y: top, width: wide, height, fill: looks.get(name)?.color ?? "gray" };
      return [s("rect", { ...look, class: `part-${name}` })];
    });
    return s("g", isClear(one, least) ? {} : { class: "faint" }, ...parts);
  }

  function draw() {
    const right = slider.clientWidth - RIGHT_PX;
    const lines = TICKS.flatMap((tick) => [
      s("line", { x1: LEFT_PX, x2: right, y1: yOf(tick / 100), y2: yOf(tick / 100), class: "rule" }),
      s("text", { x: LEFT_PX - 6, y: yOf(tick / 100) + (tick ? 3.5 : -1), class: "tick" }, `${tick} %`),
    ]);
    const bound = { x1: LEFT_PX, x2: right, y1: yOf(least / 100), y2: yOf(least / 100) };
    const wide = barWidth();
    const ground = { x: LEFT_PX, y: yOf(1), width: width(), height: yOf(0) - yOf(1) };
    picture.replaceChildren(
      s("rect", { ...ground, class: "ground" }),
      ...lines,
      ...shown.map((one) => bar(one, wide)),
      s("line", { ...bound, class: "bound" }),
    );
    marks.replaceChildren(
      ...(span ? marksOf(span, Math.max(2, Math.floor(width() / 70))) : []).map(({ day, label }) =>
        h("span", { style: `left: ${xOf(day)}px` }, label),
      ),
    );
    slider.setAttribute("aria-valuemin", "0");
    slider.setAttribute("aria-valuemax", String(Math.max(0, shown.length - 1)));
    at = Math.min(at, Math.max(0, shown.length - 1));
    slider.setAttribute("aria-valuenow", String(at));
    slider.setAttribute("aria-valuetext", shown[at] ? wordsOf(shown[at], looks) : "None");
    rest();
  }

  new ResizeObserver(draw).observe(slider);

  return {
    /**
     * @param {Acquisition[]} acquisitions  By time.
     * @param {{ looks: Looks, least: number, picked: string | null }} how
     */
    show(acquisitions, how) {
      if (acquisitions !== shown) {
        const best = acquisitions.reduce((a, one, index) =>
          clearSeen(one) > clearSeen(acquisitions[a]) ? index : a, 0);
        at = best;
      }
      shown = acquisitions;
      ({ looks, least, picked } = how);
      element.classList.toggle("empty", !shown.length);
      const days = shown.map(dayOf);
      span = days.length ? [addDays(days[0], -2), addDays(days[days.length - 1], 2)] : null;
      draw();
    },
  };
}
