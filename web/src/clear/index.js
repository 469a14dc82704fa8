// Clear sky over a field: the question in the address, the answers in a panel, a plot and the map.

import { isOnlyHere } from "../area/keeping.js";
import { boxOfArea } from "../area/measure.js";
import { byId, h } from "../dom.js";
import { codeTabs } from "../open-in.js";
import { askCover, askSeries, skyWords } from "./ask.js";
import { createCalendar } from "./calendar.js";
import { createField } from "./field.js";
import { createPanel } from "./panel.js";
import { createPicture } from "./picture.js";
import { createPlot } from "./plot.js";
import { questionSnippets } from "./question.js";
import { bestRows, coverRows } from "./rows.js";
import { bestOfDays, clearest, csvOf } from "./series.js";

/** @typedef {import("./ask.js").Cover} Cover */
/** @typedef {import("./series.js").Acquisition} Acquisition */
/** @typedef {import("../types").Collection} Collection */
/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").State} State */

/** First and last day of a Collection. @param {Collection} collection */
function extentOf(collection) {
  const [start, end] = collection.extent?.temporal?.interval[0] ?? [null, null];
  const today = new Date().toISOString();
  return [start ?? "2015-06-23", end ?? today].map((time) => time.slice(0, 10));
}

/** @param {import("../views.js").Parts} parts @returns {import("../views.js").View} */
export function createClear({ services, store, view, theme, collection, frame }) {
  const element = byId("clear", HTMLElement);
  const plot = byId("sky", HTMLElement);
  /** @type {Geometry | null} */
  let geometry = null;
  /** @type {Acquisition[]} */
  let series = [];
  /** What the series answers, to be asked once only. */
  let asked = "";
  /** @type {AbortController | null} */
  let running = null;
  /** @type {AbortController | null} */
  let covering = null;
  /** @type {Cover | null} */
  let cover = null;

  const panel = createPanel(element, {
    draw: () => void field.draw(),
    take: (file) => field.takeFile(file),
    takeView: () => field.takeView(),
    choose: (fields, index) => field.choose(fields, index),
    fit: () => geometry && view.fit(boxOfArea(geometry)),
    remove: () => store.change({ area: null, pick: null }, { push: true }),
    setLeast: (least) => store.change({ least }),
    setShare: (share) => store.change({ share }),
    cancel: () => stop("Cancelled; what was found by then is shown."),
    download,
  });
  const field = createField({
    store,
    view,
    theme,
    frame,
    offer: (fields, file) => panel.offer(fields, file),
    tell: (message) => panel.tell(message),
  });
  /** @param {Pick<Acquisition, "items">} one */
  const pick = ({ items }) => {
    const name = collection()?.id ?? null;
    store.change({ collection: name, pick: items[0] ?? null }, { push: true });
  };
  const picture = createPicture({ services, view }, (message) => panel.tell(message));
  const plotted = createPlot(plot, { pick });
  const calendar = createCalendar(panel.calendar, { pick });

  /** @param {string} message */
  function stop(message) {
    running?.abort();
    covering?.abort();
    asked = "";
    panel.working(null);
    panel.tell(message, { label: "Ask again", act: ask });
  }

  /** The question of the state, if it is one. */
  function question() {
    const of = collection();
    if (!of || !geometry) return null;
    const { from, to, least } = store.state;
    return { collection: of.id, geometry, from, to, least };
  }

  /** Classes as the Collection names and colours them. */
  function looks() {
    const all = collection()?.item_assets?.mask?.["classification:classes"] ?? [];
    return new Map(
      all.map(({ name, title, color_hint }) => [
        name,
        { title: title ?? name, color: `#${color_hint}` },
      ]),
    );
  }

  function download() {
    const url = URL.createObjectURL(new Blob([csvOf(series)], { type: "text/csv" }));
    h("a", { href: url, download: "clear-sky.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  /** The Item that the map shows: the one that was picked, or the clearest. */
  const picked = () =>
    store.state.pick ?? clearest(series, 0)[0]?.items[0] ?? null;

  /** What rows need, once there is a field. */
  function around() {
    /** @param {string} item */
    const addressOf = (item) => store.addressOf({ pick: item });
    return geometry && { services, geometry, addressOf, picked: picked(), pick };
  }

  function showRows() {
    const { least } = store.state;
    const best = clearest(series, least);
    panel.showCounts(series.length ? { clear: best.length, all: series.length, least } : null);
    const rows = around();
    if (!rows) return;
    panel.best.replaceChildren(...bestRows(rows, best, least));
    showCover();
  }

  function showCover() {
    const { share } = store.state;
    const rows = around();
    if (!cover || !rows) {
      panel.coverList.replaceChildren();
      return;
    }
    panel.showCover({ achieved: cover.achieved, count: cover.acquisitions.length, share });
    panel.coverList.replaceChildren(...coverRows(rows, cover.acquisitions));
  }

  function show() {
    const { least } = store.state;
    panel.showWanted(store.state);
    plotted.show(series, { looks: looks(), least, picked: picked() });
    calendar.show(bestOfDays(series), picked());
    showRows();
    const now = question();
    panel.uses.replaceChildren(
      ...(now ? [codeTabs("sky-code", "The same question as code", questionSnippets(services, now))] : []),
    );
    void drawPicked();
  }

  async function askForCover() {
    const now = question();
    if (!now || !series.length) return;
    covering?.abort();
    const { signal } = (covering = new AbortController());
    const { share } = store.state;
    cover = null;
    panel.showCover("Looking for them…");
    try {
      cover = await askCover(services, now, share, signal);
      showCover();
    } catch (error) {
      if (!signal.aborted) panel.showCover(skyWords(error));
    }
  }

  /** Ask, unless just this was asked. */
  async function ask() {
    const now = question();
    const of = collection();
    const key = JSON.stringify(now && { ...now, least: 0 });
    if (key === asked) return;
    asked = key;
    running?.abort();
    covering?.abort();
    const { signal } = (running = new AbortController());
    [series, cover] = [[], null];
    show();
    if (!now || !of) {
      panel.working(null);
      return;
    }
    const [first, last] = extentOf(of);
    const from = now.from && now.from > first ? now.from : first;
    const to = now.to && now.to < last ? now.to : last;
    panel.tell(null);
    if (from > to) {
      panel.tell("There are no masks on these days.");
      return;
    }
    panel.working({ done: 0, total: 1, found: 0 });
    try {
      await askSeries(services, { ...now, from, to }, signal, (found, done, total) => {
        if (signal.aborted) return;
        series = [...found];
        panel.working({ done, total, found: found.length });
        show();
      });
      panel.working(null);
      if (!series.length) panel.tell("No acquisition covers the field in this period.");
      await askForCover();
    } catch (error) {
      if (signal.aborted) return;
      asked = "";
      panel.working(null);
      panel.tell(skyWords(error), { label: "Try again", act: ask });
    }
  }

  /** Draw the acquisition that is picked under the outline. */
  function drawPicked() {
    const { opacity } = store.state;
    const id = picked();
    const name = collection()?.id;
    const one = series.find(({ items }) => items.includes(id ?? ""));
    return picture.show(
      id && name && geometry ? { collection: name, id, one, opacity } : null,
    );
  }

  /** Do what the state says. @param {State | null} previous */
  function update(previous) {
    const { state } = store;
    const isHere = state.mode === "clear";
    element.hidden = !isHere;
    plot.hidden = !isHere;
    if (!isHere) {
      if (previous?.mode === "clear") {
        running?.abort();
        asked = "";
        picture.forget();
        void field.stop();
        void field.show(null);
      }
      return;
    }
    const came = previous?.mode !== "clear";
    if (came || previous?.area !== state.area) {
      void field.stop();
      geometry = field.named();
      if (geometry || !state.area) panel.tell(null);
      panel.showField(geometry, isOnlyHere(state.area ?? ""));
      if (!state.area) panel.offer([], "");
      void field.show(geometry);
      if (geometry && !state.view && came) view.fit(boxOfArea(geometry));
    }
    if (series.length) show();
    else {
      panel.showWanted(state);
      void drawPicked();
    }
    if (previous?.share !== state.share && series.length) void askForCover();
    void ask();
  }

  store.hear((_, previous) => update(previous));

  return {
    refresh: () => update(null),
    paint: () => void field.paint(),
  };
}
