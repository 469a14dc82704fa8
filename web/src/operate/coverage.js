// Coverage: which products of a tile are masked, failed or missing, day by day of a year.

import { h } from "../dom.js";
import { longDay } from "../facts.js";
import { tell, wordsOf } from "../notices.js";
import { countsOf, monthsOf, WORST_FIRST } from "./calendar.js";
import { number } from "./words.js";

/** @typedef {import("./calendar.js").Day} Day */
/** @typedef {import("./types").CoveredTile} CoveredTile */
/** @typedef {import("./session.js").Session} Session */

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", timeZone: "UTC" });
const FIRST_YEAR = 2015;

/**
 * @param {HTMLElement} element
 * @param {Session} session
 * @param {(tile: string, year: number) => void} choose
 */
export function createCoverage(element, session, choose) {
  const now = new Date().getUTCFullYear();
  const tile = h("input", {
    id: "coverage-tile",
    type: "text",
    required: true,
    pattern: "[Tt]?\\d{2}[A-Za-z]{3}",
    placeholder: "33UUU",
    autocapitalize: "characters",
    spellcheck: false,
  });
  const year = h(
    "select",
    { id: "coverage-year" },
    ...Array.from({ length: now - FIRST_YEAR + 1 }, (_, index) =>
      h("option", {}, String(now - index)),
    ),
  );
  const months = h("div", { class: "months" });
  const legend = h("p", { class: "entries" });
  const chosen = h("div", { "aria-live": "polite" });
  const trouble = h("div", { role: "alert" });
  const form = h(
    "form",
    {
      class: "row-form",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        choose(tile.value.trim().toUpperCase().replace(/^T/, ""), Number(year.value));
      },
    },
    h("label", { for: "coverage-tile" }, "Tile"),
    tile,
    h("label", { for: "coverage-year" }, "Year"),
    year,
    h("button", { type: "submit", class: "main" }, "Show"),
  );
  element.append(h("h2", { tabIndex: -1 }, "Coverage"), form, trouble, legend, months, chosen);

  /** @param {Day} day */
  function open(day) {
    chosen.replaceChildren(
      h("h3", {}, longDay(day.date)),
      h(
        "ul",
        { class: "covered" },
        ...day.products.map(({ product, engine, state, version, detail }) =>
          h(
            "li",
            {},
            h("span", { class: `state is-${state}` }, state),
            ` ${engine}${version ? ` ${version}` : ""} `,
            h("span", { class: "product-name soft" }, product),
            detail && h("span", { class: "why" }, detail),
          ),
        ),
      ),
    );
  }

  /** @param {Day} day */
  function cell(day) {
    if (!day.state) return h("span", { class: "day", "aria-hidden": "true" }, String(day.day));
    const label = `${longDay(day.date)}: ${day.products.map(({ state }) => state).join(", ")}`;
    return h(
      "button",
      {
        type: "button",
        class: `day is-${day.state}`,
        "aria-label": label,
        title: label,
        onclick: () => open(day),
      },
      String(day.day),
    );
  }

  /** @param {CoveredTile} covered @param {number} of */
  function draw(covered, of) {
    const counts = countsOf(covered.days);
    legend.replaceChildren(
      ...WORST_FIRST.map(([state, word]) =>
        h(
          "span",
          { class: "entry" },
          h("i", { class: `key is-${state}` }),
          `${number(counts.get(state) ?? 0)} ${word}`,
        ),
      ).reverse(),
    );
    months.replaceChildren(
      ...monthsOf(of, covered.days).map(({ month, first, days }) => {
        const name = MONTH.format(new Date(Date.UTC(of, month, 1)));
        const cells = days.map(cell);
        cells[0].style.gridColumnStart = String(first + 1);
        return h(
          "section",
          { class: "month", "aria-label": name },
          h("h3", {}, name),
          h("div", { class: "days" }, ...cells),
        );
      }),
    );
  }

  let asked = "";
  return {
    /** @param {string} which @param {number} of */
    async show(which, of) {
      if (asked === `${which} ${of}`) return;
      asked = `${which} ${of}`;
      tile.value = which;
      year.value = String(of || now);
      if (!which) return;
      chosen.replaceChildren();
      try {
        const query = `tile=${encodeURIComponent(which)}&start=${of}-01-01&end=${of}-12-31`;
        const covered = await session.ask(`coverage?${query}`);
        tell(trouble, covered.days.length ? null : `The ledger knows of no product of ${which} in ${of}.`);
        draw(covered, of);
      } catch (error) {
        asked = "";
        months.replaceChildren();
        legend.replaceChildren();
        tell(trouble, wordsOf(error));
      }
    },
  };
}
