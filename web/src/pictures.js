// Pictures on a map: tiles of masks and of true colours, each a layer of its own.

import { unwrapped } from "./geometry.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {import("./types").Box} Box */
/** @typedef {{ tiles: string, minzoom: number, maxzoom: number, bounds: Box }} Tiles  Of 512 px. */
/** @typedef {{ mask: Tiles | null, preview: Tiles | null, opacity: number }} Pictures  Opacity of the mask, 0 to 100. */

/** Of tiles that come. */
const FADE_MS = 120;
/** Screens with small pixels show a tile at half its size. */
const TILE_PX = devicePixelRatio > 1.25 ? 256 : 512;

/** @param {Tiles} tiles @returns {import("maplibre-gl").RasterSourceSpecification} */
function sourceOf({ tiles, minzoom, maxzoom, bounds }) {
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
 * Draw tiles in place of those that are there, or none.
 *
 * @param {MapView} map  Its style has loaded.
 * @param {"mosaic" | "preview" | "mask"} id
 * @param {Tiles | null} tiles
 * @param {{ below: string, opacity?: number }} look  `below`: the layer above; opacity, 0 to 100.
 */
export function putPicture(map, id, tiles, { below, opacity = 100 }) {
  if (map.getLayer(id)) map.removeLayer(id);
  if (map.getSource(id)) map.removeSource(id);
  if (!tiles) return;
  map.addSource(id, sourceOf(tiles));
  map.addLayer(
    {
      id,
      type: "raster",
      source: id,
      paint: {
        // Nearest: a colour between two classes would be a class that no pixel has.
        "raster-resampling": id === "preview" ? "linear" : "nearest",
        "raster-opacity": opacity / 100,
        "raster-fade-duration": FADE_MS,
      },
    },
    below,
  );
}

/**
 * Draw a mask over its true colours in place of what is there, or nothing.
 *
 * @param {MapView} map @param {Pictures | null} pictures @param {string} below
 */
export function putPictures(map, pictures, below) {
  putPicture(map, "preview", pictures?.preview ?? null, { below });
  putPicture(map, "mask", pictures?.mask ?? null, { below, opacity: pictures?.opacity });
}

/** @param {MapView} map @param {string} template  Tiles of the same mask, drawn otherwise. */
export function changeMask(map, template) {
  const source = /** @type {import("maplibre-gl").RasterTileSource | undefined} */ (
    map.getSource("mask")
  );
  source?.setTiles([template]);
}

/** @param {MapView} map @param {number} opacity  Of the mask, 0 to 100. */
export function fadeMask(map, opacity) {
  if (map.getLayer("mask")) map.setPaintProperty("mask", "raster-opacity", opacity / 100);
}
