// Operate: backfills, lanes and workers, coverage and the trail, for whoever has a token.

import { h } from "../dom.js";
import { tell, wordsOf } from "../notices.js";
import { createBackfillPage } from "./backfill.js";
import { createCoverage } from "./coverage.js";
import { createFollowing } from "./following.js";
import { createForm } from "./form.js";
import { createGate } from "./gate.js";
import { createLanes } from "./lanes.js";
import { createBackfillList } from "./list.js";
import { createSession } from "./session.js";
import { createTrail } from "./trail.js";
import { moment } from "./words.js";

/** @typedef {import("./types").Everything} Everything */
/** @typedef {import("../views.js").Parts} Parts */

/** Pages beside those of single backfills: what `show` of the address says, and their title. */
const PAGES = /** @type {[string, string][]} */ ([
  ["lanes", "Lanes and workers"],
  ["new", "New backfill"],
  ["coverage", "Coverage"],
  ["trail", "Trail"],
]);

/** @param {Pick<Parts, "services" | "store">} parts */
export function createOperate({ services, store }) {
  const side = h("section", { id: "operate-side", "aria-label": "Operate" });
  const main = h("section", { id: "operate", "aria-label": "What is chosen" });
  document.getElementById("panel")?.append(side);
  document.querySelector("main")?.append(main);

  const session = createSession(services.admin, () => draw());
  const trouble = h("div", { role: "alert" });
  const gate = h("div", { class: "gate" });
  const inside = h("div", { class: "inside" });
  side.append(trouble, gate, inside);

  const way = createGate(gate, async (token) => {
    tell(trouble, null);
    try {
      await session.use(token);
      follow();
      return true;
    } catch (error) {
      if (session.has()) session.forget();
      if (!session.problem) tell(trouble, wordsOf(error));
      return false;
    }
  });

  // What is seen with a token.

  const live = h("span", { class: "live" });
  const who = h("p", { class: "who" });
  const links = h("nav", { class: "pages", "aria-label": "Operate" });
  const backfills = h("ul", { id: "backfills", "aria-label": "Backfills" });
  inside.append(who, links, h("h2", {}, "Backfills", live), backfills);

  const pages = {
    lanes: h("div", { class: "page" }),
    new: h("div", { class: "page" }),
    coverage: h("div", { class: "page" }),
    trail: h("div", { class: "page" }),
    backfill: h("div", { class: "page" }),
  };
  const notice = h("div", { role: "alert", class: "page-notice" });
  main.append(notice, ...Object.values(pages));

  /** @param {string} show */
  const go = (show) => store.change({ mode: "operate", show }, { push: true });
  const list = createBackfillList(backfills, {
    addressOf: (id) => store.addressOf({ show: `backfill/${id}` }),
    open: (id) => go(`backfill/${id}`),
  });
  const lanes = createLanes(pages.lanes, {
    mayOperate: session.mayOperate,
    async release(lane, engine) {
      try {
        await session.ask(`lanes/${lane}/release`, { body: { engine } });
      } catch (error) {
        tell(notice, wordsOf(error));
      }
    },
  });
  const form = createForm(pages.new, session, (id) => go(`backfill/${id}`));
  const coverage = createCoverage(pages.coverage, session, (tile, year) =>
    go(`coverage/${tile}/${year}`),
  );
  const trail = createTrail(pages.trail, session);
  const backfill = createBackfillPage(pages.backfill, session);

  /** @type {Everything | null} */
  let everything = null;
  /** @type {string | null} */
  let opened = null;

  /** The page that the address names, and what it says of it. @returns {string[]} */
  const wanted = () => (store.state.show ?? "lanes").split("/");

  function drawLinks() {
    const [page] = wanted();
    links.replaceChildren(
      ...PAGES.map(([name, title]) =>
        h(
          "a",
          {
            href: store.addressOf({ show: name }),
            "aria-current": name === page ? "page" : null,
            onclick: (/** @type {MouseEvent} */ event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
              event.preventDefault();
              go(name);
            },
          },
          title,
        ),
      ),
    );
  }

  function drawState() {
    if (!everything) return;
    const [page, id] = wanted();
    list.show(everything.backfills, page === "backfill" ? id : null);
    if (page === "lanes") lanes.show(everything.lanes, everything.workers);
    if (page === "backfill") {
      const shown = everything.backfills.find((one) => one.id === id);
      if (shown) backfill.show(shown);
      else if (opened === `backfill/${id}`) void fetchBackfill(id);
    }
  }

  /** One that is not among the newest. @param {string} id */
  async function fetchBackfill(id) {
    try {
      const found = await session.ask(`backfills/${encodeURIComponent(id)}`);
      if (wanted()[1] === id) backfill.show(found);
    } catch (error) {
      tell(notice, wordsOf(error));
    }
  }

  /** Open the page that the address names, once. */
  function drawPage() {
    const show = store.state.show ?? "lanes";
    if (show === opened) return;
    opened = show;
    tell(notice, null);
    const [page, ...rest] = wanted();
    for (const [name, element] of Object.entries(pages)) element.hidden = name !== page;
    if (page === "new") void form.show();
    if (page === "trail") void trail.show();
    if (page === "coverage") void coverage.show(rest[0] ?? "", Number(rest[1]) || new Date().getUTCFullYear());
    main.scrollTop = 0;
  }

  function draw() {
    const { facts } = session;
    gate.hidden = facts !== null;
    inside.hidden = facts === null;
    main.hidden = facts === null || store.state.mode !== "operate";
    document.body.classList.toggle("operating", !main.hidden);
    way.explain(session.problem);
    if (!facts) {
      everything = opened = null;
      if (store.state.mode === "operate" && session.problem) way.focus();
      return;
    }
    who.replaceChildren(
      h("strong", {}, facts.name),
      ` may ${facts.role === "operate" ? "look and operate" : "look"}`,
      facts.expires ? `, until ${moment(facts.expires)}. ` : ". ",
      h("button", { type: "button", class: "quiet", onclick: session.forget }, "Forget the token"),
    );
    drawLinks();
    drawPage();
    drawState();
  }

  /** @param {"on" | "off"} state @param {string} title */
  function setLive(state, title) {
    live.className = `live is-${state}`;
    live.title = title;
    live.textContent = title;
  }

  const following = createFollowing(session, {
    news(told) {
      if (live.classList.contains("is-off")) tell(notice, null);
      setLive("on", "live");
      everything = told;
      drawState();
    },
    silence(why) {
      setLive("off", "no news");
      if (why) tell(notice, why);
    },
  });

  /** The token may have been looked at for longer than the view. */
  function follow() {
    if (store.state.mode === "operate") following.start();
  }

  async function start() {
    if (!session.has() || following.isOn()) return;
    try {
      if (!session.facts) await session.open();
      follow();
    } catch (error) {
      if (session.has()) {
        tell(trouble, wordsOf(error), { label: "Try again", act: () => void start() });
      }
    }
    if (session.facts) tell(trouble, null);
  }

  /** Show or hide the view, as the address says. */
  function refresh() {
    const here = store.state.mode === "operate";
    side.hidden = !here;
    if (!here) {
      main.hidden = true;
      document.body.classList.remove("operating");
      following.stop();
      return;
    }
    draw();
    void start();
  }

  store.hear(refresh);
  return { refresh, paint: () => {} };
}
