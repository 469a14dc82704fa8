// A new backfill: what to look for and where, tried first if wanted.

import { h } from "../dom.js";
import { tell, wordsOf } from "../notices.js";
import { FIELDS, specOf } from "./spec.js";
import { bytes, duration, many, number } from "./words.js";

/** @typedef {import("./spec.js").Values} Values */
/** @typedef {import("./types").Engine} Engine */
/** @typedef {import("./types").Estimate} Estimate */
/** @typedef {import("./session.js").Session} Session */

const KINDS = {
  folder: ["Folder", "/eodata/Sentinel-2/MSI/L1C", "A folder as every worker sees it, of any depth."],
  bucket: ["Bucket", "s3://eodata/Sentinel-2/MSI/L1C", "A prefix of a bucket: s3://, gs:// or az://."],
  stac: ["STAC API", "such as https://stac.dataspace.copernicus.eu/v1", "Address of a STAC API."],
  names: ["List of products", "", "Names, paths or addresses, one a line."],
};

/**
 * @param {string} name
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
function field(name, label, control, hint) {
  control.id = `new-${name}`;
  control.setAttribute("name", name);
  const below = hint ? h("span", { class: "hint", id: `new-${name}-hint` }, hint) : null;
  if (below) control.setAttribute("aria-describedby", below.id);
  return h("div", { class: "field", "data-field": name }, h("label", { for: control.id }, label), control, below);
}

/** @param {Record<string, unknown>} [properties] */
const input = (properties = {}) =>
  h("input", { type: "text", autocomplete: "off", spellcheck: false, ...properties });

/** @param {[string, string][]} options */
const select = (options) =>
  h("select", {}, ...options.map(([value, title]) => h("option", { value }, title)));

/**
 * @param {HTMLElement} element
 * @param {Session} session
 * @param {(id: string) => void} made
 */
export function createForm(element, session, made) {
  const kind = select(
    Object.entries(KINDS).map(([value, [title]]) => /** @type {[string, string]} */ ([value, title])),
  );
  const engine = select([["auto", "The best there is"]]);
  const address = input({ required: true });
  const outcome = h("div", { "aria-live": "polite" });
  const trouble = h("div", { role: "alert" });
  const fields = {
    address: field("address", "Address", address, " "),
    names: field("names", "Products", h("textarea", { rows: 5, spellcheck: false }), KINDS.names[2]),
    collections: field("collections", "Collections", input(), "Which ones to search; all of them without."),
    root: field("root", "Root", input({ placeholder: "/eodata" }), "Where products lie, if not where the source says."),
  };
  const trying = h("button", { type: "button", onclick: () => void send(true) }, "Try it first");
  const begin = h("button", { type: "submit", class: "main" }, "Begin backfill");
  const form = h(
    "form",
    {
      class: "new",
      autocomplete: "off",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void send(false);
      },
    },
    h(
      "fieldset",
      {},
      h("legend", {}, "Where products are"),
      field("kind", "Source", kind),
      ...Object.values(fields),
    ),
    h(
      "fieldset",
      {},
      h("legend", {}, "Which of them"),
      h(
        "div",
        { class: "pair" },
        field("start", "First day", input({ type: "date" })),
        field("end", "Last day", input({ type: "date" })),
      ),
      field("tiles", "MGRS tiles", input({ placeholder: "33UUU 33UVU" })),
      field("bbox", "Box", input({ placeholder: "west, south, east, north" }), "Degrees."),
      h(
        "div",
        { class: "pair" },
        field("level", "Level", select([["", "Both"], ["L1C", "L1C"], ["L2A", "L2A"]])),
        field("baseline", "Baseline, at least", input({ placeholder: "04.00", pattern: "\\d\\d\\.\\d\\d" })),
      ),
      field("cloud", "Cloud cover of the tile, at most", input({ type: "number", min: 0, max: 100, placeholder: "100 %" })),
    ),
    h(
      "fieldset",
      {},
      h("legend", {}, "How"),
      field("name", "Name", input({ placeholder: "made of the above" })),
      h(
        "div",
        { class: "pair" },
        field("engine", "Engine", engine),
        field("priority", "Priority", select([["5", "Normal"], ["9", "Low"], ["1", "High"]])),
      ),
    ),
    h("div", { class: "buttons" }, trying, begin),
    trouble,
    outcome,
  );
  element.append(h("h2", { tabIndex: -1 }, "New backfill"), form);

  function showKind() {
    const chosen = /** @type {keyof typeof KINDS} */ (kind.value);
    fields.names.hidden = chosen !== "names";
    fields.address.hidden = chosen === "names";
    fields.collections.hidden = chosen !== "stac";
    fields.root.hidden = chosen !== "names" && chosen !== "stac";
    address.required = chosen !== "names";
    const [, example, hint] = KINDS[chosen];
    address.placeholder = example;
    const below = fields.address.querySelector(".hint");
    if (below) below.textContent = hint;
  }
  kind.addEventListener("change", showKind);
  form.addEventListener("input", () => outcome.replaceChildren());
  showKind();

  /** @returns {Values} */
  function values() {
    const data = new FormData(form);
    return Object.fromEntries(FIELDS.map((name) => [name, String(data.get(name) ?? "").trim()]));
  }

  /** @param {boolean} dry */
  async function send(dry) {
    if (!form.reportValidity()) return;
    tell(trouble, null);
    outcome.replaceChildren(
      ...(dry ? [h("p", { class: "soft" }, "Going through the source…")] : []),
    );
    trying.disabled = begin.disabled = true;
    try {
      const body = specOf(values());
      const told = await session.ask(`backfills${dry ? "?dry_run=true" : ""}`, { body });
      if (dry) outcome.replaceChildren(estimate(told));
      else made(told.id);
    } catch (error) {
      outcome.replaceChildren();
      tell(trouble, wordsOf(error));
    } finally {
      trying.disabled = begin.disabled = false;
    }
  }

  let known = false;
  return {
    /** Bring what the form offers up to date. */
    async show() {
      begin.disabled = trying.disabled = !session.mayOperate();
      tell(trouble, session.mayOperate() ? null : "Your token may only read: the role “operate” is needed.");
      if (known) return;
      try {
        /** @type {Engine[]} */
        const engines = await session.ask("engines");
        engine.append(...engines.map(({ name, title }) => h("option", { value: name, title }, name)));
        known = true;
      } catch (error) {
        tell(trouble, wordsOf(error));
      }
    },
  };
}

/** @param {string} value @param {string} name */
const figure = (value, name) =>
  h("div", { class: "figure" }, h("strong", {}, value), h("span", {}, name));

/** @param {Estimate} told */
function estimate(told) {
  const { found, already_masked, to_do, expected_s, basis, skipped, bytes_unknown } = told;
  const left = Object.entries(skipped).map(([reason, count]) => `${number(count)} ${reason}`);
  const size = bytes_unknown >= to_do ? "unknown" : `${bytes_unknown ? "over " : ""}${bytes(told.bytes)}`;
  return h(
    "section",
    { class: "card estimate" },
    h("h3", {}, "It would come to this"),
    h(
      "div",
      { class: "figures" },
      figure(number(found), "found"),
      figure(number(already_masked), "masked already"),
      figure(number(to_do), "to do"),
      figure(to_do ? size : "nothing", "to read"),
      figure(expected_s === null ? "unknown" : duration(expected_s), "expected"),
    ),
    h("p", { class: "soft" }, `Engine: ${told.engine}. ${told.engine_reason}`),
    h(
      "p",
      { class: "soft" },
      basis ? `Time by ${basis}.` : "The ledger has no past of this engine to tell the time by.",
    ),
    left.length > 0 && h("p", { class: "soft" }, `Left out: ${left.join(", ")}.`),
    to_do === 0 && found > 0 && h("p", {}, `All ${many(found, "product")} are masked.`),
  );
}
