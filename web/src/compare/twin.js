// A second map that looks at the same place as the first: over it, or beside it.

import { Map as MapView } from "maplibre-gl";

import { groundStyle, paintGround } from "../basemap.js";
import { wrapped } from "../geometry.js";
import { putPictures } from "./pictures.js";

/** @typedef {import("../types").Config} Config */
/** @typedef {import("../types").View} View */
/** @typedef {import("./pictures.js").Pictures} Pictures */

/**
 * @param {HTMLElement} container
 * @param {MapView} first
 * @param {{ theme: "light" | "dark", config: Config, moved: (view: View) => void }} options  `moved`:
 *   somebody moved the second map.
 */
export function createTwin(container, first, { theme, config, moved }) {
  const { lng, lat } = first.getCenter();
  const map = new MapView({
    container,
    center: [lng, lat],
    zoom: first.getZoom(),
    maxZoom: 18,
    attributionControl: false,
    // An address without a version may be kept for seconds only; nobody waits for the next mask.
    refreshExpiredTiles: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    style: groundStyle(theme, config.background),
    // Two of one name would be the same place to a screen reader.
    locale: { "Map.Title": "Picture B" },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  const loaded = map.once("style.load").then(() => undefined);
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
    if (!(/** @type {{ originalEvent?: Event }} */ (event).originalEvent)) return;
    const { lng, lat } = map.getCenter();
    moved({ longitude: wrapped(lng), latitude: lat, zoom: map.getZoom() });
  });
  map.on("dataloading", () => container.setAttribute("aria-busy", "true"));
  map.on("idle", () => container.setAttribute("aria-busy", "false"));

  return {
    /** @param {Pictures | null} pictures */
    async show(pictures) {
      await loaded;
      putPictures(map, pictures);
    },

    /** @param {string} template  Tiles of the same mask, drawn otherwise. */
    async changeMask(template) {
      await loaded;
      const source = /** @type {import("maplibre-gl").RasterTileSource | undefined} */ (
        map.getSource("mask")
      );
      source?.setTiles([template]);
    },

    /** @param {number} opacity  Of the mask, 0 to 100. */
    async setOpacity(opacity) {
      await loaded;
      if (map.getLayer("mask")) map.setPaintProperty("mask", "raster-opacity", opacity / 100);
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
