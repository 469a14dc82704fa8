// How far two masks agree, in numbers: the headline, the confusion matrix, the classes' scores.

import { h } from "../dom.js";
import { percent } from "../facts.js";
import { areaWords } from "../area/measure.js";

/** @typedef {import("./ask.js").Agreement} Agreement */

const TITLES = /** @type {Record<string, string>} */ ({
  clear: "Clear",
  cloud_shadow: "Shadow",
  semi_transparent: "Thin cloud",
  cloud: "Cloud",
  missing: "Missing",
  any_cloud: "Any cloud",
});

/** @param {number | null} value */
const score = (value) => (value === null ? "–" : value.toFixed(2));

/**
 * Classes that one of the masks has at all: a column of zeros tells nothing.
 *
 * @param {Agreement} agreement
 * @returns {number[]}  Their rows.
 */
export function rowsThatMatter({ classes, matrix }) {
  return classes
    .map((_, at) => at)
    .filter((at) => matrix[at].some(Boolean) || matrix.some((row) => row[at]));
}

/** @param {Agreement} agreement @param {string} left @param {string} right */
export function agreementTable(agreement, left, right) {
  const { classes, shares, matrix, by_class } = agreement;
  const rows = rowsThatMatter(agreement);
  const largest = Math.max(...rows.flatMap((row) => rows.map((column) => shares[row][column])));
  /** @param {number} at */
  const title = (at) => TITLES[classes[at]] ?? classes[at];

  const head = h(
    "thead",
    {},
    h("tr", {}, h("td", {}), h("th", { scope: "colgroup", colSpan: rows.length }, `B: ${right}`)),
    h("tr", {}, h("th", { scope: "col" }, `A: ${left}`), ...rows.map((at) => h("th", { scope: "col" }, title(at)))),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, title(row)),
      ...rows.map((column) => {
        const share = shares[row][column];
        return h(
          "td",
          {
            class: row === column ? "agreed" : "differs",
            style: `--weight: ${Math.round((share / (largest || 1)) * 55)}%`,
            title: `${matrix[row][column].toLocaleString("en")} pixels`,
          },
          share ? percent(share) : "0",
        );
      }),
    ),
  );
  const judged = Object.entries(by_class).filter(([, { f1 }]) => f1 !== null);
  return h(
    "div",
    {},
    h(
      "p",
      { class: "headline" },
      h("strong", {}, percent(agreement.agreement)),
      ` of ${areaWords(agreement.area_km2)} are the same; Cohen’s κ ${score(agreement.kappa)}`,
    ),
    h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Confusion matrix" },
      h("table", { class: "matrix" }, h("caption", { class: "away" }, "Confusion matrix, shares of all pixels"), head, h("tbody", {}, ...body))),
    h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Scores by class" },
      h(
        "table",
        { class: "scores" },
        h("caption", { class: "away" }, "Scores of A by class, B taken for the truth"),
        h("thead", {}, h("tr", {}, ...["A, as if B were true", "Precision", "Recall", "F1", "IoU"].map((name) => h("th", { scope: "col" }, name)))),
        h(
          "tbody",
          {},
          ...judged.map(([name, { precision, recall, f1, iou }]) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, TITLES[name] ?? name),
              ...[precision, recall, f1, iou].map((value) => h("td", {}, score(value))),
            ),
          ),
        ),
      )),
  );
}
