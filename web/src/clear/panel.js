// The panel of a field's sky: the field, what is wanted of it, and the answers.

import { ACCEPTED } from "../area/files.js";
import { areaWords, areaKm2, boxOfArea, cornerCount } from "../area/measure.js";
import { h, icon, s } from "../dom.js";
import { percent } from "../facts.js";
import { tell } from "../notices.js";
import { outlineIn, squareOf } from "./chips.js";

/** @typedef {import("../area/geojson.js").Field} Field */
/** @typedef {import("../types").Geometry} Geometry */

/**
 * @typedef {object} Doing  What happens when somebody asks.
 * @property {() => void} draw
 * @property {(file: File) => void} take
 * @property {() => void} takeView
 * @property {(fields: Field[], index: number | null) => void} choose  Null: all together.
 * @property {() => void} fit
 * @property {() => void} remove
 * @property {(least: number) => void} setLeast
 * @property {(share: number) => void} setShare
 * @property {() => void} cancel
 * @property {() => void} download
 */

const SHARES = [80, 90, 95, 99, 100];

/** @param {HTMLElement} element @param {Doing} doing */
export function createPanel(element, doing) {
  const file = h("input", {
    type: "file",
    accept: ACCEPTED,
    class: "away",
    tabIndex: -1,
    "aria-label": "File with the field",
    onchange: () => {
      if (file.files?.[0]) doing.take(file.files[0]);
      file.value = "";
    },
  });

  /** @param {string} label @param {() => void} act @param {Record<string, unknown>} [more] */
  const button = (label, act, more = {}) =>
    h("button", { type: "button", onclick: act, ...more }, label);

  const ways = h(
    "div",
    { class: "ways" },
    button("Draw on the map", doing.draw, { class: "main" }),
    button("Choose a file…", () => file.click()),
    button("Take the view", doing.takeView, { title: "All that the map shows" }),
  );
  const field = h("div", { class: "field" });
  const choice = h("div", { class: "choice" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const output = h("output", { for: "least" });
  const slider = h("input", {
    id: "least",
    type: "range",
    min: "0",
    max: "100",
    step: "5",
    oninput: () => doing.setLeast(Number(slider.value)),
  });
  const wanted = h(
    "div",
    { class: "opacity wanted" },
    h("label", { for: "least" }, "Clear enough"),
    output,
    slider,
  );
  const progress = h("progress", { "aria-label": "Years that are done" });
  const told = h("span", { role: "status" });
  const working = h(
    "div",
    { class: "working", hidden: true },
    told,
    progress,
    button("Cancel", doing.cancel),
  );
  const headline = h("p", { class: "headline", role: "status" });
  const calendar = h("div", { class: "calendars" });
  const best = h("ul", { class: "best", "aria-label": "Clearest acquisitions" });
  const coverWords = h("p", { class: "soft", role: "status" });
  const coverList = h("ol", { class: "best", "aria-label": "Fewest acquisitions that cover the field" });
  const share = h(
    "select",
    { id: "share", onchange: () => doing.setShare(Number(share.value)) },
    ...SHARES.map((value) => h("option", { value: String(value) }, `${value} %`)),
  );
  const uses = h("div", {});
  const results = h(
    "div",
    { class: "results", hidden: true },
    headline,
    h("section", {}, h("h3", {}, "Calendar"), calendar),
    h("section", {}, h("h3", {}, "Clearest acquisitions"), best),
    h(
      "section",
      { class: "cover" },
      h("h3", {}, "Fewest that see the field"),
      h("p", { class: "ask" }, h("label", { for: "share" }, "Clear, together, at least"), share),
      coverWords,
      coverList,
    ),
    h(
      "section",
      {},
      h("h3", {}, "Take it with you"),
      h(
        "button",
        { type: "button", class: "file", onclick: doing.download },
        icon("download"),
        h("span", {}, "Time series"),
        h("span", { class: "soft" }, "CSV, a row an acquisition"),
      ),
      uses,
    ),
  );
  element.replaceChildren(h("h2", {}, "Clear sky over a field"), field, file, choice, trouble, wanted, working, results);

  /** @param {Geometry} geometry */
  function silhouette(geometry) {
    const path = s("path", { d: outlineIn(geometry, squareOf(boxOfArea(geometry), 0, 1.15)) });
    return s("svg", { viewBox: "0 0 100 100", class: "silhouette", "aria-hidden": "true" }, path);
  }

  return {
    calendar,
    best,
    coverList,
    uses,

    /** @param {Geometry | null} geometry @param {boolean} isOnlyHere */
    showField(geometry, isOnlyHere) {
      wanted.hidden = !geometry;
      if (!geometry) {
        field.replaceChildren(
          h("p", { class: "soft" }, "How often was the ground seen? Mark a field: every acquisition is looked at within its outline, pixel by pixel."),
          ways,
          h("p", { class: "soft hint" }, "Or drop a GeoJSON, KML or GeoPackage file on the page, or paste one. Nothing is uploaded but the outline."),
        );
        return;
      }
      const corners = cornerCount(geometry);
      field.replaceChildren(
        h(
          "div",
          { class: "field-card" },
          silhouette(geometry),
          h(
            "p",
            {},
            h("strong", {}, areaWords(areaKm2(geometry))),
            h("span", { class: "soft" }, `${corners.toLocaleString("en")} corners`),
          ),
          h("button", { type: "button", class: "quiet only", onclick: doing.fit, "aria-label": "Zoom to the field", title: "Zoom to the field" }, icon("fit")),
          h("button", { type: "button", class: "quiet only", onclick: doing.remove, "aria-label": "Another field", title: "Another field" }, icon("close")),
        ),
        isOnlyHere
          ? h("p", { class: "soft hint" }, "Its outline is too long for the address of the page: it stays in this window, and a copied address does not have it.")
          : "",
      );
    },

    /** Let one of a file's fields be chosen. @param {Field[]} fields @param {string} file */
    offer(fields, file) {
      choice.replaceChildren();
      if (fields.length < 2) return;
      const select = h(
        "select",
        {
          id: "fields",
          onchange: () => doing.choose(fields, select.value === "" ? null : Number(select.value)),
        },
        h("option", { value: "" }, `All ${fields.length} together`),
        ...fields.map(({ name }, index) =>
          h("option", { value: String(index) }, name || `Polygon ${index + 1}`),
        ),
      );
      choice.append(h("label", { for: "fields" }, `Of ${file}`), select);
    },

    /** @param {string | null} message @param {{ label: string, act: () => void } | null} [way] */
    tell: (message, way) => tell(trouble, message, way),

    /** @param {{ done: number, total: number, found: number } | null} state */
    working(state) {
      working.hidden = !state;
      if (!state) return;
      told.textContent =
        state.done || state.total > 1
          ? `${state.found.toLocaleString("en")} acquisitions, ${state.done} of ${state.total} years`
          : "Looking at every acquisition…";
      progress.max = state.total;
      if (state.done) progress.value = state.done;
      else progress.removeAttribute("value");
    },

    /** @param {{ least: number, share: number }} state */
    showWanted({ least, share: wantedShare }) {
      slider.value = String(least);
      output.value = `from ${least} %`;
      if (!SHARES.includes(wantedShare) && !share.querySelector(`[value="${wantedShare}"]`)) {
        share.append(h("option", { value: String(wantedShare) }, `${wantedShare} %`));
      }
      share.value = String(wantedShare);
    },

    /** @param {{ clear: number, all: number, least: number } | null} counts */
    showCounts(counts) {
      results.hidden = !counts?.all;
      if (!counts) return;
      headline.replaceChildren(
        h("strong", {}, counts.clear.toLocaleString("en")),
        ` of ${counts.all.toLocaleString("en")} acquisitions are ${counts.least} % clear`,
      );
    },

    /** @param {{ achieved: number, count: number, share: number } | string} cover  Or what to say. */
    showCover(cover) {
      if (typeof cover === "string") {
        coverWords.textContent = cover;
        return;
      }
      const { achieved, count, share: asked } = cover;
      const many = count === 1 ? "One acquisition sees" : `${count} acquisitions together see`;
      coverWords.textContent = !count
        ? "No acquisition saw any of it clear."
        : achieved * 100 >= asked
          ? `${many} ${percent(achieved)} of it clear.`
          : `${many} ${percent(achieved)} of it clear; no other adds anything.`;
    },
  };
}
