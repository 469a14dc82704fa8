// The scale of the map.

import { ScaleControl } from "maplibre-gl";

/** @typedef {import("maplibre-gl").Map} MapView */

/** A scale that is written anew where the map comes to rest, not with every frame on the way. */
export class RestingScale extends ScaleControl {
  /** @override @param {MapView} map */
  onAdd(map) {
    const element = super.onAdd(map);
    map.off("move", this._onMove);
    map.on("moveend", this._onMove);
    return element;
  }

  /** @override */
  onRemove() {
    this._map.off("moveend", this._onMove);
    super.onRemove();
  }
}
