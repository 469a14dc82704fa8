// A map of the ground, seen from straight above, that costs no more than what is seen of it.

import { Map as MapView } from "maplibre-gl";

/** @typedef {import("maplibre-gl").StyleSpecification} Style */
/** @typedef {Partial<import("maplibre-gl").MapOptions>} MapOptions */

/**
 * @param {HTMLElement} container  Its `aria-busy` tells whether there is something left to draw.
 * @param {Style} style
 * @param {MapOptions} options
 */
export function createGround(container, style, options) {
  const map = new MapView({
    container,
    maxZoom: 18,
    attributionControl: false,
    // An address without a version may be kept for seconds only; nobody waits for the next mask.
    refreshExpiredTiles: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    style,
    ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.on("style.load", () => {
    // MapLibre draws a sky into every pixel of every frame, also where none can be seen: without a
    // graphics processor that takes longer than the rest of an empty map.
    if (map.style.sky) map.style.sky.getEvaluated = () => /** @type {any} */ (undefined);
  });
  map.on("dataloading", () => container.setAttribute("aria-busy", "true"));
  map.on("idle", () => container.setAttribute("aria-busy", "false"));
  return map;
}
