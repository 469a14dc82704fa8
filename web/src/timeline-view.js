// The timeline under the map: a bar a day, and two handles that choose a range of days.

import { h, s } from "./dom.js";
import { longDay, percent, shortDay } from "./facts.js";
import { cloudColor } from "./palette.js";
import { addDays, binDays, daysBetween, marksOf, spanOf, stepFor } from "./timeline.js";

/** @typedef {import("./types").Bin} Bin */
/** @typedef {"from" | "to"} End */

const HEIGHT_PX = 46;
const LEAST_BAR_PX = 4;

/**
 * @param {HTMLElement} element
 * @param {(from: string | null, to: string | null) => void} choose
 */
export function createTimeline(element, choose) {
  /** @type {import("./types").Day[]} */
  let products = [];
  /** @type {[string, string] | null} */
  let span = null;
  /** @type {{ from: string | null, to: string | null }} */
  let range = { from: null, to: null };

  const caption = h("p", { class: "caption" });
  const clear = h(
    "button",
    { type: "button", class: "quiet word", hidden: true, onclick: () => choose(null, null) },
    "All days",
  );
  const bars = s("svg", { class: "bars", height: HEIGHT_PX, "aria-hidden": "true" });
  const shade = h("div", { class: "shade" });
  const marks = h("div", { class: "marks", "aria-hidden": "true" });
  const handles = { from: handle("from"), to: handle("to") };
  const track = h("div", { class: "track" }, shade, handles.from, handles.to);
  track.prepend(bars);
  element.append(h("div", { class: "head" }, caption, clear), track, marks);

  /** @param {End} end */
  function handle(end) {
    return h("div", {
      class: `handle ${end}`,
      role: "slider",
      tabIndex: 0,
      "aria-label": end === "from" ? "First day" : "Last day",
      "aria-orientation": "horizontal",
      onkeydown: (/** @type {KeyboardEvent} */ event) => step(end, event),
    });
  }

  const width = () => track.clientWidth || 1;

  /** Left edge of a day, pixels. @param {string} day */
  function x(day) {
    if (!span) return 0;
    return (daysBetween(span[0], day) / (daysBetween(...span) + 1)) * width();
  }

  /** @param {number} at_px */
  function dayAt(at_px) {
    if (!span) return null;
    const days = daysBetween(...span) + 1;
    const index = Math.min(days - 1, Math.max(0, Math.floor((at_px / width()) * days)));
    return addDays(span[0], index);
  }

  /** @param {End} end @param {KeyboardEvent} event */
  function step(end, event) {
    if (!span) return;
    const now = range[end] ?? (end === "from" ? span[0] : span[1]);
    const days = event.shiftKey ? 30 : 1;
    const next = {
      ArrowRight: addDays(now, days),
      ArrowUp: addDays(now, days),
      ArrowLeft: addDays(now, -days),
      ArrowDown: addDays(now, -days),
      PageUp: addDays(now, 30),
      PageDown: addDays(now, -30),
      Home: span[0],
      End: span[1],
    }[event.key];
    if (!next) return;
    event.preventDefault();
    const [first, last] = span;
    const kept = next < first ? first : next > last ? last : next;
    choose(...(end === "from" ? ordered(kept, range.to) : ordered(range.from, kept)));
  }

  /** @param {string | null} from @param {string | null} to @returns {[string | null, string | null]} */
  const ordered = (from, to) => (from && to && from > to ? [to, from] : [from, to]);

  /** @type {string | null} */
  let dragged = null;
  /** @type {End | null} */
  let pulled = null;
  track.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const left = track.getBoundingClientRect().left;
    pulled = event.target === handles.from ? "from" : event.target === handles.to ? "to" : null;
    dragged = dayAt(event.clientX - left);
    track.setPointerCapture(event.pointerId);
    if (!pulled) event.preventDefault();
  });
  track.addEventListener("pointermove", (event) => {
    const day = dayAt(event.clientX - track.getBoundingClientRect().left);
    if (dragged && day && (event.buttons || pulled)) preview(day);
    else showTip(day);
  });
  track.addEventListener("pointerup", (event) => {
    const day = dayAt(event.clientX - track.getBoundingClientRect().left);
    if (dragged && day) choose(...dragTo(day));
    dragged = pulled = null;
  });
  track.addEventListener("pointercancel", () => {
    dragged = pulled = null;
    place();
  });
  track.addEventListener("pointerleave", () => say());

  /** @param {string} day @returns {[string | null, string | null]} */
  function dragTo(day) {
    if (pulled === "from") return ordered(day, range.to);
    if (pulled === "to") return ordered(range.from, day);
    const bar = dragged === day ? binAt(day) : null;
    return bar ? [bar.from, bar.to] : ordered(dragged, day);
  }

  /** @param {string} day */
  function preview(day) {
    const [from, to] = dragTo(day);
    place({ from, to });
    caption.textContent = rangeInWords(from, to);
  }

  /** @type {Bin[]} */
  let bins = [];
  /** @param {string | null} day */
  const binAt = (day) => bins.find((bin) => day && bin.from <= day && day <= bin.to) ?? null;

  /** @param {string | null} from @param {string | null} to */
  function rangeInWords(from, to) {
    if (from && from === to) return longDay(from);
    if (from && to) return `${shortDay(from)} to ${shortDay(to)}`;
    if (from) return `Since ${longDay(from)}`;
    return to ? `Until ${longDay(to)}` : "All days";
  }

  /** @param {string | null} day */
  function showTip(day) {
    const bin = binAt(day);
    if (!bin) return say();
    const when = bin.from === bin.to ? longDay(bin.from) : rangeInWords(bin.from, bin.to);
    const many = bin.count === 1 ? "1 product" : `${bin.count} products`;
    caption.textContent = `${when}: ${many}${bin.clear === null ? "" : `, ${percent(bin.clear)} clear`}`;
  }

  function say() {
    caption.textContent = rangeInWords(range.from, range.to);
  }

  function place({ from, to } = range) {
    if (!span) return;
    const left = from ? x(from < span[0] ? span[0] : from) : 0;
    const right = to ? x(addDays(to > span[1] ? span[1] : to, 1)) : width();
    const whole = !from && !to;
    shade.hidden = whole;
    shade.style.left = `${left}px`;
    shade.style.width = `${Math.max(2, right - left)}px`;
    handles.from.style.left = `${left}px`;
    handles.to.style.left = `${right}px`;
    clear.hidden = whole;
    for (const [end, day] of /** @type {[End, string][]} */ ([
      ["from", from ?? span[0]],
      ["to", to ?? span[1]],
    ])) {
      handles[end].setAttribute("aria-valuemin", "0");
      handles[end].setAttribute("aria-valuemax", String(daysBetween(...span)));
      handles[end].setAttribute("aria-valuenow", String(daysBetween(span[0], day)));
      handles[end].setAttribute("aria-valuetext", longDay(day));
    }
  }

  function draw() {
    element.classList.toggle("empty", !span);
    if (!span) {
      bars.replaceChildren();
      marks.replaceChildren();
      caption.textContent = "";
      return;
    }
    const step = stepFor(span, Math.floor(width() / LEAST_BAR_PX));
    bins = binDays(products, span, step);
    const most = Math.max(1, ...bins.map((bin) => bin.count));
    bars.setAttribute("width", String(width()));
    bars.replaceChildren(
      ...bins.map((bin) => {
        const left = x(bin.from);
        const full = x(addDays(bin.to, 1)) - left;
        const wide = Math.min(18, Math.max(2, full - Math.min(2, full * 0.25)));
        const high = Math.max(5, (bin.count / most) * (HEIGHT_PX - 4));
        return s("rect", {
          x: (left + (full - wide) / 2).toFixed(1),
          y: (HEIGHT_PX - high).toFixed(1),
          width: wide.toFixed(1),
          height: high.toFixed(1),
          rx: Math.min(2, wide / 3),
          fill: cloudColor(bin.clear === null ? null : 1 - bin.clear),
        });
      }),
    );
    marks.replaceChildren(
      ...marksOf(span, Math.max(2, Math.floor(width() / 76))).map(({ day, label }) =>
        h("span", { style: `left: ${x(day)}px` }, label),
      ),
    );
    place();
    say();
  }

  new ResizeObserver(draw).observe(track);

  return {
    /**
     * @param {import("./types").Day[]} next
     * @param {{ from: string | null, to: string | null }} chosen
     */
    show(next, chosen) {
      products = next;
      range = chosen;
      const ends = [chosen.from, chosen.to].filter((day) => day !== null);
      span = products.length ? spanOf([...products.map(({ day }) => day), ...ends]) : null;
      draw();
    },
  };
}
