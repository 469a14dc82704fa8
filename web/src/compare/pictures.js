// A mask over its true colours, on a map that shows nothing else.

import { unwrapped } from "../geometry.js";

/** @typedef {import("maplibre-gl").Map} MapView */
/** @typedef {{ tiles: string, minzoom: number, maxzoom: number, bounds: import("../types").Box }} Tiles */
/** @typedef {{ mask: Tiles | null, preview: Tiles | null, opacity: number }} Pictures */

/** Below the names of countries, as on the first map. */
const BELOW = "countries";
const TILE_PX = devicePixelRatio > 1.25 ? 256 : 512;

/**
 * Draw pictures in place of those that are there.
 *
 * @param {MapView} map  Its style has loaded.
 * @param {Pictures | null} pictures
 */
export function putPictures(map, pictures) {
  for (const id of /** @type {const} */ (["preview", "mask"])) {
    if (map.getLayer(id)) map.removeLayer(id);
    if (map.getSource(id)) map.removeSource(id);
    const tiles = pictures?.[id];
    if (!tiles) continue;
    const { bounds, ...place } = tiles;
    const [west, south, east, north] = unwrapped(bounds);
    map.addSource(id, {
      type: "raster",
      tileSize: TILE_PX,
      minzoom: place.minzoom,
      maxzoom: place.maxzoom,
      tiles: [place.tiles],
      ...(east > 180 ? {} : { bounds: [west, south, east, north] }),
    });
    map.addLayer(
      {
        id,
        type: "raster",
        source: id,
        paint: {
          "raster-resampling": id === "mask" ? "nearest" : "linear",
          "raster-opacity": id === "mask" ? (pictures?.opacity ?? 100) / 100 : 1,
          "raster-fade-duration": 120,
        },
      },
      BELOW,
    );
  }
}
