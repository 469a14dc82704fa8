// A second map that looks at the same place as the first: over it, or beside it.

import { drawGrid, groundStyle, paintGround, showNames } from "../basemap.js";
import { wrapped } from "../geometry.js";
import { createGround } from "../ground.js";
import { changeMask, fadeMask, putPictures } from "../pictures.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("../types").Config} Config */
/** @typedef {import("../types").View} View */
/** @typedef {import("../pictures.js").Pictures} Pictures */

/** Names of countries, above everything as on the first map. */
const BELOW = "countries";

/**
 * @param {HTMLElement} container
 * @param {MapView} first
 * @param {{ theme: "light" | "dark", config: Config, moved: (view: View) => void }} options  `moved`:
 *   somebody moved the second map.
 */
export function createTwin(container, first, { theme, config, moved }) {
  const look = {
    center: first.getCenter(),
    zoom: first.getZoom(),
    // Two of one name would be the same place to a screen reader.
    locale: { "Map.Title": "Picture B" },
  };
  const map = createGround(container, groundStyle(theme, config.background), look);
  const loaded = map.once("style.load").then(() => showNames(map));
  let isFollowing = false;

  /** @param {MapView} from @param {MapView} to */
  function follow(from, to) {
    if (isFollowing) return;
    isFollowing = true;
    to.jumpTo({ center: from.getCenter(), zoom: from.getZoom() });
    isFollowing = false;
  }
  const after = () => follow(first, map);
  first.on("move", after);
  map.on("move", () => follow(map, first));
  map.on("moveend", (event) => {
    void loaded.then(() => drawGrid(map));
    if (!(/** @type {{ originalEvent?: Event }} */ (event).originalEvent)) return;
    const { lng, lat } = map.getCenter();
    moved({ longitude: wrapped(lng), latitude: lat, zoom: map.getZoom() });
  });

  return {
    /** @param {Pictures | null} pictures */
    async show(pictures) {
      await loaded;
      putPictures(map, pictures, BELOW);
    },

    /** @param {string} template  Tiles of the same mask, drawn otherwise. */
    async changeMask(template) {
      await loaded;
      changeMask(map, template);
    },

    /** @param {number} opacity  Of the mask, 0 to 100. */
    async setOpacity(opacity) {
      await loaded;
      fadeMask(map, opacity);
    },

    /** @param {"light" | "dark"} theme */
    async paint(theme) {
      await loaded;
      paintGround(map, theme);
    },

    remove() {
      first.off("move", after);
      map.remove();
    },
  };
}
