// Drawing a polygon: corner by corner, by pointer, finger or keys.

import { h, icon } from "../dom.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("../types").Position} Position */
/** @typedef {ReturnType<typeof import("./outline.js").addOutline>} Outline */

/** Nearer to the first corner than this, a click closes the polygon. */
const NEAR_PX = 12;
const FEWEST = 3;

/**
 * @param {MapView} map
 * @param {Outline} outline
 * @param {HTMLElement} frame  Element around the map, for the bar and the cross in its middle.
 */
export function createDrawing(map, outline, frame) {
  /** @type {AbortController | null} */
  let running = null;

  return {
    cancel: () => running?.abort(),

    /**
     * Draw one ring.
     *
     * @returns {Promise<Position[] | null>}  Closed; null where it was given up.
     */
    ring() {
      running?.abort();
      const control = (running = new AbortController());
      /** @type {Position[]} */
      const corners = [];
      const canvas = map.getCanvas();
      const count = h("span", { role: "status" }, "Click the corners of the field");

      return new Promise((resolve) => {
        /** @param {Position[] | null} ring */
        function end(ring) {
          if (running !== control) return;
          running = null;
          control.abort();
          map.off("click", clicked);
          map.off("mousemove", moved);
          map.off("dblclick", closed);
          map.doubleClickZoom.enable();
          canvas.style.cursor = "";
          outline.draft([], null);
          bar.remove();
          cross.remove();
          resolve(ring);
        }

        function told() {
          const left = FEWEST - corners.length;
          count.textContent =
            left > 0
              ? `${corners.length} of at least ${FEWEST} corners`
              : `${corners.length} corners; the first one, or Done, closes the field`;
          done.disabled = left > 0;
          back.disabled = corners.length === 0;
        }

        /** @param {Position} corner */
        function add(corner) {
          corners.push(corner);
          outline.draft(corners, null);
          told();
        }

        function finish() {
          if (corners.length >= FEWEST) end([...corners, corners[0]]);
        }

        function undo() {
          corners.pop();
          outline.draft(corners, null);
          told();
        }

        /** @param {import("maplibre-gl").MapMouseEvent} event */
        function clicked({ lngLat, point }) {
          const first = corners[0] && map.project(corners[0]);
          if (first && first.dist(point) < NEAR_PX && corners.length >= FEWEST) finish();
          // The second click of a double click is where the first one was.
          else if (!corners.length || map.project(corners[corners.length - 1]).dist(point) > 2) {
            add([lngLat.lng, lngLat.lat]);
          }
        }

        /** @param {import("maplibre-gl").MapMouseEvent} event */
        const moved = ({ lngLat }) => {
          if (corners.length) outline.draft(corners, [lngLat.lng, lngLat.lat]);
        };

        /** @param {import("maplibre-gl").MapMouseEvent} event */
        const closed = (event) => {
          event.preventDefault();
          finish();
        };

        /** @param {string} label @param {() => void} act @param {Record<string, unknown>} [more] */
        const button = (label, act, more = {}) =>
          h("button", { type: "button", onclick: act, ...more }, label);

        const here = () => {
          const { lng, lat } = map.getCenter();
          add([lng, lat]);
        };
        const done = button("Done", finish, { class: "main" });
        const back = button("Undo", undo);
        const bar = h(
          "div",
          { class: "drawing", role: "toolbar", "aria-label": "Drawing" },
          count,
          h(
            "span",
            { class: "tools" },
            button("Corner at the cross", here, { title: "Space, while the map has the focus" }),
            back,
            done,
            h(
              "button",
              { type: "button", class: "quiet only", onclick: () => end(null), "aria-label": "Give up drawing" },
              icon("close"),
            ),
          ),
        );
        const cross = h("div", { class: "cross", "aria-hidden": "true" });

        addEventListener(
          "keydown",
          (event) => {
            const onMap = document.activeElement === canvas;
            const act = {
              Escape: () => end(null),
              Enter: onMap ? finish : undefined,
              Backspace: undo,
              " ": onMap ? here : undefined,
            }[event.key];
            if (!act || event.target instanceof HTMLInputElement) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            act();
          },
          { signal: control.signal, capture: true },
        );
        control.signal.addEventListener("abort", () => end(null));
        map.on("click", clicked);
        map.on("mousemove", moved);
        map.on("dblclick", closed);
        map.doubleClickZoom.disable();
        canvas.style.cursor = "crosshair";
        frame.append(cross, bar);
        told();
        count.textContent = "Click the corners of the field. Keys: arrows move the map, Space sets a corner";
        canvas.focus({ preventScroll: true });
      });
    },
  };
}
