// One backfill: how far it is, what it was asked for, what failed, and what can be done about it.

import { h } from "../dom.js";
import { tell, wordsOf } from "../notices.js";
import { progressBar, stateMark } from "./list.js";
import { duration, many, moment, number, sourceOf, STATES, stepsOf, wantedOf } from "./words.js";

/** @typedef {import("./types").Backfill} Backfill */
/** @typedef {import("./types").Failure} Failure */
/** @typedef {import("./session.js").Session} Session */

const STEPS = {
  pause: "Pause",
  resume: "Resume",
  retry: "Try failures again",
  abort: "Abort",
};
/** How long a second press on Abort counts as meaning it. */
const SURE_MS = 5000;
const MOST_FAILURES = 50;

/** @param {string} name @param {...(Node | string | null)} value */
const fact = (name, ...value) => [h("dt", {}, name), h("dd", {}, ...value)];

/** @param {Backfill} backfill */
function facts(backfill) {
  const { spec, skipped, engine, created, created_by, priority } = backfill;
  const left = Object.entries(skipped).map(([reason, count]) => `${number(count)} ${reason}`);
  return h(
    "dl",
    { class: "facts" },
    ...fact("Products of", sourceOf(spec)),
    ...fact("Wanted", wantedOf(spec)),
    ...fact("Engine", engine),
    ...fact("Priority", priority === 0 ? "live" : String(priority)),
    ...fact("Begun", `${moment(created)} by ${created_by}`),
    ...(left.length ? fact("Left out", left.join(", ")) : []),
    ...fact("Id", h("code", {}, backfill.id)),
  );
}

/** @param {Backfill} backfill */
function numbers({ counts, rate_per_hour, eta_s, state }) {
  const legend = STATES.filter(([name]) => counts[name]).map(([name, word]) =>
    h(
      "span",
      { class: "entry" },
      h("i", { class: `key is-${name}` }),
      `${number(counts[name])} ${word}`,
    ),
  );
  const moves = state === "running" || state === "listing";
  const pace = moves && rate_per_hour ? `${number(rate_per_hour)} products an hour` : null;
  const left = moves && eta_s ? `about ${duration(eta_s)} left` : null;
  return [
    h("p", { class: "entries" }, ...legend),
    h("p", { class: "soft pace" }, [pace, left].filter(Boolean).join(", ")),
  ];
}

/** @param {Failure} failure */
const failureRow = ({ product, kind, error, attempts, lane }) =>
  h(
    "tr",
    {},
    h("td", {}, h("span", { class: "product-name" }, product)),
    h("td", {}, h("strong", {}, kind), h("br"), error),
    h("td", {}, lane),
    h("td", { class: "count" }, String(attempts)),
  );

/** @param {Failure[]} failures @param {number} total */
export function failureTable(failures, total) {
  const head = ["Product", "Reason", "Lane", "Tries"].map((name) =>
    h("th", { scope: "col" }, name),
  );
  return [
    h(
      "div",
      { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Failures" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head)),
        h("tbody", {}, ...failures.map(failureRow)),
      ),
    ),
    total > failures.length
      ? h("p", { class: "soft" }, `The first ${failures.length} of ${many(total, "failure")}.`)
      : null,
  ].filter((part) => part !== null);
}

/**
 * @param {HTMLElement} element
 * @param {Session} session
 */
export function createBackfillPage(element, session) {
  const title = h("h2", { tabIndex: -1 });
  const mark = h("span");
  const bar = h("div");
  const counted = h("div", { role: "status" });
  const buttons = h("div", { class: "buttons" });
  const trouble = h("div", { role: "alert" });
  const about = h("div");
  const failed = h("section");
  element.append(
    h("header", { class: "head" }, title, mark),
    bar,
    counted,
    buttons,
    trouble,
    about,
    failed,
  );
  /** @type {Backfill | null} */
  let shown = null;
  /** What was drawn last, so that nothing that somebody reads or presses is made anew. */
  let drawn = { steps: "", failed: "" };
  /** When Abort was pressed first. */
  let sure = 0;

  /** @param {keyof typeof STEPS} step */
  async function act(step) {
    if (!shown) return;
    const button = buttons.querySelector(`[data-step="${step}"]`);
    if (step === "abort" && Date.now() - sure > SURE_MS) {
      sure = Date.now();
      if (button) button.textContent = "Really abort?";
      return;
    }
    sure = 0;
    tell(trouble, null);
    try {
      show(await session.ask(`backfills/${shown.id}/${step}`, { method: "POST" }));
    } catch (error) {
      tell(trouble, wordsOf(error));
    }
  }

  /** @param {Backfill} backfill */
  function showSteps(backfill) {
    const steps = session.mayOperate() ? stepsOf(backfill) : [];
    const key = `${backfill.id} ${steps}`;
    if (key === drawn.steps) return;
    drawn.steps = key;
    buttons.replaceChildren(
      ...steps.map((step) =>
        h(
          "button",
          {
            type: "button",
            "data-step": step,
            class: step === "abort" ? "danger" : "",
            onclick: () => void act(step),
          },
          STEPS[step],
        ),
      ),
    );
  }

  /** @param {Backfill} backfill */
  async function showFailures({ id, counts }) {
    const key = `${id} ${counts.failed}`;
    if (key === drawn.failed) return;
    drawn.failed = key;
    if (!counts.failed) {
      failed.replaceChildren();
      return;
    }
    try {
      const failures = await session.ask(`backfills/${id}/failures?limit=${MOST_FAILURES}`);
      if (drawn.failed !== key) return;
      failed.replaceChildren(h("h3", {}, "Failures"), ...failureTable(failures, counts.failed));
    } catch (error) {
      drawn.failed = "";
      tell(trouble, wordsOf(error));
    }
  }

  /** @param {Backfill} backfill */
  function show(backfill) {
    const other = shown?.id !== backfill.id;
    shown = backfill;
    title.textContent = backfill.name || backfill.id;
    mark.replaceChildren(stateMark(backfill));
    bar.replaceChildren(progressBar(backfill));
    counted.replaceChildren(...numbers(backfill));
    if (backfill.error) tell(trouble, backfill.error);
    else if (other) tell(trouble, null);
    if (other) about.replaceChildren(h("h3", {}, "What was asked for"), facts(backfill));
    showSteps(backfill);
    void showFailures(backfill);
  }

  return { show, title };
}
