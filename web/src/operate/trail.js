// The trail: who did what, the last first.

import { h } from "../dom.js";
import { tell, wordsOf } from "../notices.js";
import { moment } from "./words.js";

/** @typedef {import("./types").Entry} Entry */
/** @typedef {import("./session.js").Session} Session */

const PAGE = 50;

/** @param {Entry} entry */
function row({ at, who, action, subject, detail }) {
  const more = Object.keys(detail).length ? JSON.stringify(detail) : "";
  return h(
    "tr",
    {},
    h("td", {}, moment(at)),
    h("td", {}, who),
    h("td", {}, h("strong", {}, action), ` ${subject}`),
    h("td", { class: "soft detail" }, more),
  );
}

/** @param {HTMLElement} element @param {Session} session */
export function createTrail(element, session) {
  const body = h("tbody");
  const trouble = h("div", { role: "alert" });
  const more = h("button", { type: "button", hidden: true, onclick: () => void load() }, "Show more");
  const head = ["When", "Who", "What", "Detail"].map((name) => h("th", { scope: "col" }, name));
  element.append(
    h("h2", { tabIndex: -1 }, "Trail"),
    h("p", { class: "soft" }, "Everything that somebody did, the last first."),
    h(
      "div",
      { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Trail" },
      h("table", {}, h("thead", {}, h("tr", {}, ...head)), body),
    ),
    trouble,
    more,
  );
  /** @type {number | null} */
  let before = null;

  async function load() {
    try {
      const after = before === null ? "" : `&before=${before}`;
      /** @type {Entry[]} */
      const entries = await session.ask(`audit?limit=${PAGE}${after}`);
      body.append(...entries.map(row));
      before = entries.at(-1)?.id ?? before;
      more.hidden = entries.length < PAGE;
      tell(trouble, null);
    } catch (error) {
      tell(trouble, wordsOf(error), { label: "Try again", act: () => void load() });
    }
  }

  return {
    async show() {
      before = null;
      body.replaceChildren();
      await load();
    },
  };
}
