// Rows of acquisitions: a picture of the field's place, the day, and how clear it was.

import { h, s } from "../dom.js";
import { percent, shortDay } from "../facts.js";
import { boxOfArea } from "../area/measure.js";
import { polygonsOf } from "../area/encoding.js";
import { unwrapped } from "../geometry.js";

/** @typedef {import("../types").Box} Box */
/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Services} Services */

const EDGE_PX = 128;
/** A whole tile's preview has pixels of 60 m: of less ground there is little to see. */
const LEAST_KM = 3;
const KM_PER_DEGREE = 111.2;

/**
 * A box around another one that is as high as it is wide on the ground.
 *
 * @param {Box} box
 * @param {number} least_km  Its least edge.
 * @param {number} room  How much longer than the longest edge.
 * @returns {Box}  Its east may be beyond 180 degrees.
 */
export function squareOf(box, least_km, room) {
  const [west, south, east, north] = unwrapped(box);
  const [x, y] = [(west + east) / 2, (south + north) / 2];
  const shrink = Math.max(0.01, Math.cos((y * Math.PI) / 180));
  const longest = Math.max((east - west) * shrink, north - south) * room;
  const half = Math.max(least_km / KM_PER_DEGREE, longest) / 2;
  return [x - half / shrink, y - half, x + half / shrink, y + half];
}

/** Its outline in a picture of such a box. @param {Geometry} geometry @param {Box} box */
export function outlineIn(geometry, [west, south, east, north]) {
  const rings = polygonsOf(geometry).flat();
  const paths = rings.map((ring) => {
    const points = ring.map(([x, y]) => {
      const turned = x < west - 180 ? x + 360 : x;
      const column = ((turned - west) / (east - west)) * 100;
      return `${column.toFixed(2)} ${(((north - y) / (north - south)) * 100).toFixed(2)}`;
    });
    return `M${points.join("L")}Z`;
  });
  return paths.join("");
}

/**
 * @param {Services} services
 * @param {Geometry} geometry
 * @param {{ collection: string, items: string[] }} one
 */
export function chip(services, geometry, { collection, items }) {
  const box = squareOf(boxOfArea(geometry), LEAST_KM, 1.4);
  const [item] = items;
  const path = `${services.tiler}/collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(item)}`;
  const picture = `${path}/bbox/${box.map((each) => each.toFixed(6)).join(",")}/${EDGE_PX}x${EDGE_PX}.png`;
  const layer = (/** @type {string} */ asset) =>
    h("img", {
      src: `${picture}?assets=${asset}`,
      alt: "",
      loading: "lazy",
      decoding: "async",
      class: asset,
      onerror: (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).remove(),
    });
  const line = s("path", { d: outlineIn(geometry, box) });
  const edge = s("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, line);
  return h("span", { class: "thumbnail chip-picture" }, layer("preview"), layer("mask"), edge);
}

/**
 * @param {object} options
 * @param {string} options.day
 * @param {string} options.strong  What counts, at the right.
 * @param {string} options.soft
 * @param {{ share: number, part?: number }} options.bar  0 to 1; `part` ends at `share`.
 * @param {HTMLElement} options.picture
 * @param {string} options.address
 * @param {boolean} options.isPicked
 * @param {() => void} options.pick
 */
export function acquisitionRow({ day, strong, soft, bar, picture, address, isPicked, pick }) {
  const from = bar.share - (bar.part ?? bar.share);
  const look = `--from: ${from * 100}%; --to: ${bar.share * 100}%`;
  return h(
    "li",
    {},
    h(
      "a",
      {
        class: "row",
        href: address,
        "aria-current": isPicked ? "true" : null,
        onclick: (/** @type {MouseEvent} */ event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          pick();
        },
      },
      picture,
      h(
        "span",
        { class: "what" },
        h("span", { class: "line" }, h("strong", {}, shortDay(day)), h("span", {}, strong)),
        h("span", { class: "line soft" }, soft),
        h("span", { class: "gain", style: look, "aria-hidden": "true" }),
      ),
    ),
  );
}

/** @param {number} coverage */
export const coverageWords = (coverage) =>
  coverage < 1 ? `covers ${percent(coverage)} of the field` : "covers all of the field";
