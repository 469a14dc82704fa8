// The map: the ground, what was found on it, and one mask over its picture.

import { AttributionControl, NavigationControl } from "maplibre-gl";

import { boundsOf, drawGrid, groundStyle, paintGround, showNames } from "./basemap.js";
import { serveClasses } from "./class-tiles.js";
import { fetchEarth, serveEarth } from "./earth.js";
import { withFootprints } from "./footprint-style.js";
import { createFootprints } from "./footprints.js";
import { framed, seen } from "./framing.js";
import { boxOf, unwrapped, wrapped } from "./geometry.js";
import { createGround } from "./ground.js";
import { changeMask, fadeMask, putPicture, putPictures } from "./pictures.js";
import { RestingScale } from "./scale.js";
import "./workers.js";

/** @typedef {import("./types").Box} Box */
/** @typedef {import("./types").Config} Config */
/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Position} Position */
/** @typedef {import("./types").View} View */

/**
 * @typedef {object} Hearing  What the page wants to hear of the map.
 * @property {(view: View, byHand: boolean) => void} moved  The view came to rest; `byHand`: where
 *   somebody brought it.
 * @property {(place: Position, pile: { count: number, newest: string | null }) => void} picked  A
 *   place was clicked, with what is known of the Items that cover it.
 * @property {(message: string) => void} tilesFailed
 */

/** Sources that the tile server fills. */
const OURS = ["mask", "preview", "mosaic", "footprints"];
/** Room around what is fitted, for what lies on the map. */
const FIT = { padding: { top: 68, right: 56, bottom: 44, left: 44 }, maxZoom: 13 };
const EVERYWHERE = { longitude: 12, latitude: 35, zoom: 1.4 };
/** Masks and true colours lie below the footprints. */
const BELOW = "footprints-fill";
/** What waits for the map waits no longer. */
const PATIENCE_MS = 2000;

/**
 * @param {HTMLElement} container
 * @param {object} options
 * @param {"light" | "dark"} options.theme
 * @param {Config} options.config
 * @param {View | null} options.view
 * @param {Box | null} options.box  To be shown where there is no view.
 * @param {string | null} options.template  Address of the footprints, if it is known already.
 * @param {Hearing} options.hearing
 */
export function createMap(container, { theme, config, view, box, template, hearing }) {
  let now = theme;
  const size = { width: container.clientWidth, height: container.clientHeight };
  const at = view ?? (box ? framed(unwrapped(box), size, FIT) : EVERYWHERE);
  serveEarth();
  serveClasses();
  // On their way while the map is being made, which holds everything else up.
  fetchEarth(seen(at, size), at.zoom);
  const style = withFootprints(groundStyle(theme, config.background), theme, template);
  const map = createGround(container, style, {
    center: [at.longitude, at.latitude],
    zoom: at.zoom,
    renderWorldCopies: true,
  });
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new RestingScale({ maxWidth: 120 }), "bottom-left");
  map.addControl(new AttributionControl({ compact: false }), "bottom-right");

  // Asked for now: an event that has passed by the time of asking never comes.
  const loaded = map.once("style.load").then(() => undefined);
  const calm = map.once("idle").then(() => undefined);
  const footprints = loaded.then(() => createFootprints(map, () => now, template));
  // Asked for any sooner, what stands beside the map would take the processor from it.
  const shown = Promise.race([
    calm,
    /** @type {Promise<void>} */ (new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))),
  ]);
  // The map first, and then what is written on it.
  const written = calm.then(() => {
    container.setAttribute("aria-busy", "true");
    showNames(map);
  });

  map.on("moveend", (event) => {
    void written.then(() => drawGrid(map));
    const { lng, lat } = map.getCenter();
    hearing.moved(
      { longitude: wrapped(lng), latitude: lat, zoom: map.getZoom() },
      Boolean(/** @type {{ originalEvent?: Event }} */ (event).originalEvent),
    );
  });

  map.on("click", (event) => {
    void footprints.then((drawn) => {
      const { place, ...pile } = drawn.at(event.point);
      hearing.picked([wrapped(place[0]), place[1]], pile);
    });
  });

  map.on("error", (event) => {
    const { sourceId } = /** @type {{ sourceId?: string }} */ (event);
    const { status } = /** @type {{ status?: number }} */ (event.error ?? {});
    if (!sourceId) {
      console.error(event.error);
      return;
    }
    // Not found is how the tile server says that nothing is there.
    if (status === 404 || !OURS.includes(sourceId)) return;
    hearing.tilesFailed(
      status
        ? `The tile server answered ${status}. Parts of the map are missing.`
        : "The tile server does not answer. Is the stack running?",
    );
  });

  return {
    map,
    loaded,
    /** The first map is there, or takes long. */
    shown,

    /** @param {string | null} template  Of vector tiles. */
    async showFootprints(template) {
      (await footprints).show(template);
    },

    async retryFootprints() {
      (await footprints).retry();
    },

    /** @param {string | null} id  Of the Item under the pointer or the focus. */
    async highlight(id) {
      (await footprints).highlight(id);
    },

    /**
     * @param {Item | null} item
     * @param {import("./pictures.js").Pictures | null} pictures
     */
    async showItem(item, pictures) {
      (await footprints).select(item);
      putPictures(map, pictures, BELOW);
    },

    /** @param {string} template  Tiles of the same mask, drawn otherwise. */
    async changeMask(template) {
      await loaded;
      changeMask(map, template);
    },

    /** @param {import("./pictures.js").Tiles | null} tiles */
    async showMosaic(tiles) {
      await loaded;
      putPicture(map, "mosaic", tiles, { below: BELOW });
    },

    /** @param {number} opacity  0 to 100. */
    async setOpacity(opacity) {
      await loaded;
      fadeMask(map, opacity);
    },

    /** @param {"light" | "dark"} theme */
    async setTheme(theme) {
      now = theme;
      await loaded;
      paintGround(map, theme);
      (await footprints).paint();
    },

    /** @param {Box} box */
    fit(box) {
      map.fitBounds(unwrapped(box), { ...FIT, animate: false });
    },

    zoom: () => map.getZoom(),

    /** @param {View} view */
    jumpTo({ longitude, latitude, zoom }) {
      map.jumpTo({ center: [longitude, latitude], zoom });
    },

    /** What is in view; its east may be beyond 180 degrees. @returns {Box} */
    bounds: () => boundsOf(map),

    /** @param {Item} item */
    fitItem(item) {
      this.fit(boxOf(item.bbox));
    },

    /** Whether enough of a box is in view to see something of it. @param {Box} box */
    looksAt(box) {
      const [west, south, east, north] = unwrapped(box);
      const shown = this.bounds();
      const apart = west > shown[2] || east < shown[0] || south > shown[3] || north < shown[1];
      return !apart && east - west > (shown[2] - shown[0]) / 5;
    },
  };
}
