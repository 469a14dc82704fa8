// The map: the ground, what was found on it, and one mask over its picture.

import { AttributionControl, Map as MapView, NavigationControl } from "maplibre-gl";

import { gridLines, groundStyle, paintGround, showNames } from "./basemap.js";
import { serveClasses } from "./class-tiles.js";
import { fetchEarth, serveEarth } from "./earth.js";
import { addFootprints } from "./footprints.js";
import { boxOf, unwrapped, wrapped } from "./geometry.js";
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

/** @typedef {{ tiles: string, minzoom: number, maxzoom: number, bounds: Box }} Tiles  Of 512 px. */

/** Sources that the tile server fills. */
const OURS = ["mask", "preview", "mosaic", "footprints"];
/** Room around what is fitted, for what lies on the map. */
const FIT = { padding: { top: 68, right: 56, bottom: 44, left: 44 }, maxZoom: 13 };
/** Of tiles that come. */
const FADE_MS = 120;
/** Screens with small pixels show a tile at half its size. */
const TILE_PX = devicePixelRatio > 1.25 ? 256 : 512;

/** @param {MapView} map @returns {Box} */
function boundsOf(map) {
  const bounds = map.getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}

/** @param {Tiles} tiles @returns {import("maplibre-gl").RasterSourceSpecification} */
function rasterSource({ tiles, minzoom, maxzoom, bounds }) {
  const [west, south, east, north] = unwrapped(bounds);
  return {
    type: "raster",
    tiles: [tiles],
    tileSize: TILE_PX,
    minzoom,
    maxzoom,
    // Across the antimeridian the tile server decides what is empty.
    ...(east > 180 ? {} : { bounds: [west, south, east, north] }),
  };
}

/**
 * @param {HTMLElement} container
 * @param {object} options
 * @param {"light" | "dark"} options.theme
 * @param {Config} options.config
 * @param {View | null} options.view
 * @param {Box | null} options.box  To be shown where there is no view.
 * @param {Hearing} options.hearing
 */
export function createMap(container, { theme, config, view, box, hearing }) {
  let now = theme;
  serveEarth();
  serveClasses();
  const map = new MapView({
    container,
    center: view ? [view.longitude, view.latitude] : [12, 35],
    zoom: view ? view.zoom : 1.4,
    ...(box && !view ? { bounds: unwrapped(box), fitBoundsOptions: FIT } : {}),
    maxZoom: 18,
    attributionControl: false,
    // An address without a version may be kept for seconds only; nobody waits for the next mask.
    refreshExpiredTiles: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: true,
    style: groundStyle(theme, config.background),
  });
  fetchEarth(boundsOf(map), map.getZoom());
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new RestingScale({ maxWidth: 120 }), "bottom-left");
  map.addControl(new AttributionControl({ compact: false }), "bottom-right");

  // Asked for now: an event that has passed by the time of asking never comes.
  const loaded = map.once("style.load").then(() => undefined);
  const calm = map.once("idle").then(() => undefined);
  // The map first, and then what is written on it.
  void loaded.then(() => showNames(map, "none"));
  void calm.then(() => {
    container.setAttribute("aria-busy", "true");
    showNames(map, "visible");
  });
  const footprints = loaded.then(() => addFootprints(map, () => now));

  function drawGrid() {
    const grid = /** @type {import("maplibre-gl").GeoJSONSource} */ (map.getSource("grid"));
    grid.setData(gridLines(boundsOf(map)));
  }

  map.on("moveend", (event) => {
    void loaded.then(drawGrid);
    const { lng, lat } = map.getCenter();
    hearing.moved(
      { longitude: wrapped(lng), latitude: lat, zoom: map.getZoom() },
      Boolean(/** @type {{ originalEvent?: Event }} */ (event).originalEvent),
    );
  });
  void loaded.then(drawGrid);

  map.on("click", (event) => {
    void footprints.then((drawn) => {
      const { place, ...pile } = drawn.at(event.point);
      hearing.picked([wrapped(place[0]), place[1]], pile);
    });
  });

  map.on("error", (event) => {
    const { sourceId } = /** @type {{ sourceId?: string }} */ (event);
    const { status } = /** @type {{ status?: number }} */ (event.error ?? {});
    // Not found is how the tile server says that nothing is there.
    if (sourceId && status !== 404 && OURS.includes(sourceId)) {
      hearing.tilesFailed(
        status
          ? `The tile server answered ${status}. Parts of the map are missing.`
          : "The tile server does not answer. Is the stack running?",
      );
    }
  });

  map.on("dataloading", () => container.setAttribute("aria-busy", "true"));
  map.on("idle", () => container.setAttribute("aria-busy", "false"));

  /** @param {string} id */
  function remove(id) {
    if (map.getLayer(id)) map.removeLayer(id);
    if (map.getSource(id)) map.removeSource(id);
  }

  /**
   * Draw tiles as a layer of their own, or none; a layer that is there already only changes.
   *
   * @param {"mosaic" | "preview" | "mask"} id
   * @param {Tiles | null} tiles
   * @param {{ opacity?: number, smooth?: boolean, below?: string }} [look]
   */
  function setTiles(id, tiles, { opacity = 1, smooth = false, below = "footprints-fill" } = {}) {
    remove(id);
    if (!tiles) return;
    map.addSource(id, rasterSource(tiles));
    map.addLayer(
      {
        id,
        type: "raster",
        source: id,
        paint: {
          // Nearest: a colour between two classes would be a class that no pixel has.
          "raster-resampling": smooth ? "linear" : "nearest",
          "raster-opacity": opacity,
          "raster-fade-duration": FADE_MS,
        },
      },
      below,
    );
  }

  return {
    map,
    loaded,
    /** The first map is there. */
    calm,

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
     * @param {{ mask: Tiles, preview: Tiles | null, opacity: number } | null} layers
     */
    async showItem(item, layers) {
      (await footprints).select(item);
      setTiles("preview", layers?.preview ?? null, { smooth: true });
      setTiles("mask", layers?.mask ?? null, { opacity: (layers?.opacity ?? 0) / 100 });
    },

    /** @param {string} template  Tiles of the same mask, drawn otherwise. */
    async changeMask(template) {
      await loaded;
      const source = /** @type {import("maplibre-gl").RasterTileSource | undefined} */ (
        map.getSource("mask")
      );
      source?.setTiles([template]);
    },

    /** @param {Tiles | null} tiles */
    async showMosaic(tiles) {
      await footprints;
      setTiles("mosaic", tiles);
    },

    /** @param {number} opacity  0 to 100. */
    async setOpacity(opacity) {
      await loaded;
      if (map.getLayer("mask")) map.setPaintProperty("mask", "raster-opacity", opacity / 100);
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
