// Lanes with their queues and brakes, and the workers in them.

import { h } from "../dom.js";
import { bytes, many, moment, number } from "./words.js";

/** @typedef {import("./types").LaneState} LaneState */
/** @typedef {import("./types").Worker} Worker */

const LANES = {
  stage: ["Stage", "fetch remote products"],
  mask: ["Mask", "run the engine"],
  publish: ["Publish", "write to the catalogue"],
};

/** @param {string} name @param {number} value @param {string} [title] */
const figure = (name, value, title) =>
  h(
    "div",
    { class: value ? "figure" : "figure zero", title: title ?? "" },
    h("strong", {}, number(value)),
    h("span", {}, name),
  );

/**
 * @param {HTMLElement} element
 * @param {{ mayOperate: () => boolean, release: (lane: string, engine: string) => Promise<void> }} doing
 */
export function createLanes(element, { mayOperate, release }) {
  const cards = h("div", { class: "cards" });
  // What comes first may take a while: a bare heading would look like an answer.
  const workers = h("div", {}, h("p", { class: "soft" }, "Asking for them…"));
  element.append(
    h("h2", { tabIndex: -1 }, "Lanes and workers"),
    cards,
    h("h3", {}, "Workers"),
    workers,
  );
  let drawn = "";

  /** @param {LaneState} lane */
  function card(lane) {
    const [title, what] = LANES[lane.lane];
    const stopped = lane.brakes.filter((brake) => brake.stopped);
    return h(
      "section",
      { class: stopped.length ? "card stopped" : "card" },
      h("h3", {}, title),
      h("p", { class: "soft" }, what),
      h(
        "div",
        { class: "figures" },
        figure("waiting", lane.due, `${number(lane.delayed)} of them for their next try`),
        figure("queued", lane.queued),
        figure("running", lane.running),
        figure("held", lane.held),
        figure("failed", lane.failed),
      ),
      ...stopped.map((brake) =>
        h(
          "div",
          { class: "brake" },
          h(
            "p",
            {},
            h("strong", {}, brake.engine),
            ` is stopped since ${moment(brake.stopped ?? "")}: ${brake.failures_in_a_row} failures in a row. ${brake.reason ?? ""}`,
          ),
          mayOperate() &&
            h(
              "button",
              { type: "button", onclick: () => void release(lane.lane, brake.engine) },
              "Release",
            ),
        ),
      ),
    );
  }

  /** @param {Worker} worker */
  function row(worker) {
    const at = worker.product
      ? `${worker.step ?? ""}${worker.total ? ` ${Math.round((100 * (worker.done ?? 0)) / worker.total)} %` : ""}`
      : "idle";
    return h(
      "tr",
      { class: worker.alive ? "" : "gone" },
      h("td", {}, h("strong", {}, worker.host), h("span", { class: "soft" }, ` ${worker.pid}`)),
      h("td", {}, worker.lane, worker.device ? h("span", { class: "soft" }, ` ${worker.device}`) : null),
      h(
        "td",
        {},
        worker.alive ? at : "not heard of any more",
        worker.product && h("span", { class: "product-name soft" }, worker.product),
      ),
      h("td", { class: "count" }, worker.scratch_free === null ? "" : bytes(worker.scratch_free)),
    );
  }

  return {
    /** @param {LaneState[]} lanes @param {Worker[]} all */
    show(lanes, all) {
      const next = JSON.stringify([lanes, mayOperate()]);
      if (next !== drawn) cards.replaceChildren(...lanes.map(card));
      drawn = next;
      if (!all.length) {
        workers.replaceChildren(
          h(
            "p",
            { class: "soft" },
            "No worker was seen today. “nimbostac up” runs one; “nimbostac worker” adds more, on any host.",
          ),
        );
        return;
      }
      const alive = all.filter((worker) => worker.alive).length;
      const head = ["Host", "Lane", "At", "Scratch free"].map((name) =>
        h("th", { scope: "col", class: name.startsWith("Scratch") ? "count" : "" }, name),
      );
      workers.replaceChildren(
        h("p", { class: "soft" }, `${many(alive, "worker")} alive`),
        h(
          "div",
          { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Workers" },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, ...head)),
            h("tbody", {}, ...all.map(row)),
          ),
        ),
      );
    },
  };
}
