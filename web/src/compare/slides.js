// Small multiples: the true colours, and every engine's mask of a product, of one place.

import { h } from "../dom.js";
import { percent } from "../facts.js";
import { wrapped } from "../geometry.js";
import { titlesOf } from "./ask.js";

/** @typedef {import("../types").Box} Box */
/** @typedef {import("../types").Services} Services */
/** @typedef {import("./ask.js").Mask} Mask */

const MOST_PX = 900;

/**
 * Columns that leave the largest pictures of a shape in a frame.
 *
 * @param {number} count
 * @param {number} width
 * @param {number} height
 */
export function columnsFor(count, width, height) {
  let [best, largest] = [1, 0];
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const scale = Math.min(1 / columns, 1 / rows);
    // Of equals the one with fewer empty cells, then the one of the frame's own shape.
    const size = scale - (columns * rows - count) * 1e-6;
    if (size > largest || (size === largest && width >= height)) [best, largest] = [columns, size];
  }
  return best;
}

/**
 * @param {HTMLElement} element
 * @param {Services} services
 */
export function createSlides(element, services) {
  /**
   * @param {{ collection: string, item: string }} of
   * @param {"mask" | "preview"} asset
   * @param {Box} box
   * @param {string} size
   * @param {string[] | null} [classes]  That are drawn; null is all.
   */
  function picture({ collection, item }, asset, [west, south, east, north], size, classes = null) {
    const path = `${services.tiler}/collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(item)}`;
    const drawn = classes ? `&classes=${classes.map(encodeURIComponent).join(",")}` : "";
    const place = [wrapped(west), south, wrapped(east), north].map((each) => each.toFixed(6));
    return h("img", {
      src: `${path}/bbox/${place.join(",")}/${size}.png?assets=${asset}&dst_crs=EPSG:3857${drawn}`,
      alt: "",
      class: asset,
      decoding: "async",
      onerror: (/** @type {Event} */ event) => /** @type {HTMLElement} */ (event.target).remove(),
    });
  }

  return {
    /**
     * @param {Mask[]} masks
     * @param {{ box: Box, width: number, height: number, opacity: number, classes: string[] | null }} place  Of
     *   the map.
     */
    show(masks, { box, width, height, opacity, classes }) {
      const source = masks.find(({ assets }) => assets.includes("preview"));
      const columns = columnsFor(masks.length + (source ? 1 : 0), width, height);
      const scale = Math.min(1, MOST_PX / width) / Math.max(1, columns - 1);
      const size = `${Math.max(16, Math.round(width * scale))}x${Math.max(16, Math.round(height * scale))}`;
      /** @param {string} title @param {string} soft @param {(HTMLElement | null)[]} pictures */
      const figure = (title, soft, pictures) =>
        h(
          "figure",
          {},
          h("div", { class: "pictures" }, ...pictures),
          h("figcaption", {}, h("strong", {}, title), h("span", {}, soft)),
        );
      const titles = titlesOf(masks);
      const figures = masks.map((mask) => {
        const title = titles.get(mask.collection) ?? mask.collection;
        const layer = picture(mask, "mask", box, size, classes);
        layer.style.opacity = String(opacity / 100);
        layer.alt = `Mask by ${title}`;
        const below = mask.assets.includes("preview") ? mask : source;
        const clear = mask.clear === null ? "" : `${percent(mask.clear)} clear`;
        return figure(title, clear, [below ? picture(below, "preview", box, size) : null, layer]);
      });
      if (source) {
        const colours = picture(source, "preview", box, size);
        colours.alt = "True colours";
        figures.unshift(figure("True colour", "", [colours]));
      }
      element.style.setProperty("--columns", String(columns));
      element.replaceChildren(...figures);
    },
  };
}
