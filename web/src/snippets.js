// Ready-made commands and code for just one Item.

import { itemAddress, linkOf, tileTemplate, wmts } from "./addresses.js";

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Services} Services */
/** @typedef {import("./types").Snippet} Snippet */

/** A Python string, or one that a shell takes as it is. @param {string} text */
const quoted = (text) => JSON.stringify(text);

/** @param {string} text */
const shellQuoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** @param {Services} services @param {Item} item */
function pystacClient(services, item) {
  return `import pystac_client

catalog = pystac_client.Client.open(${quoted(services.stac)})
search = catalog.search(collections=[${quoted(item.collection)}], ids=[${quoted(item.id)}])
item = next(search.items())
print(item.properties["eo:cloud_cover"], item.assets["mask"].href)`;
}

/** @param {Services} services @param {Item} item */
function odcStac(services, item) {
  return `import odc.stac
import pystac_client

catalog = pystac_client.Client.open(${quoted(services.stac)})
search = catalog.search(collections=[${quoted(item.collection)}], ids=[${quoted(item.id)}])
masks = odc.stac.load(search.items(), bands=["mask"], resampling="nearest")
clear = masks.mask.isel(time=0) == 1`;
}

/** @param {Item} item @param {string} cog */
function gdal(item, cog) {
  const target = `${item.id}_clear.tif`;
  return `gdalinfo ${shellQuoted(`/vsicurl/${cog}`)}
gdal_calc.py -A ${shellQuoted(`/vsicurl/${cog}`)} --calc="A==1" --outfile=${target}`;
}

/** @param {Services} services @param {Item} item @param {string} cog */
function downloads(services, item, cog) {
  return `curl -sS ${shellQuoted(itemAddress(services, item))}
curl -OJ ${shellQuoted(cog)}`;
}

/**
 * Every way to use an Item elsewhere.
 *
 * @param {Services} services
 * @param {Item} item
 * @returns {Snippet[]}
 */
export function snippetsOf(services, item) {
  const cog = item.assets.mask?.href;
  const xyz = linkOf(item, "xyz") ?? tileTemplate(services, item, "mask");
  /** @type {(Snippet | null)[]} */
  const all = [
    {
      id: "xyz",
      title: "QGIS XYZ",
      hint: "Layer › Add Layer › Add XYZ Layer…, as the URL. Any web map takes it too.",
      text: xyz,
    },
    {
      id: "wmts",
      title: "WMTS",
      hint: "QGIS: Layer › Add Layer › Add WMS/WMTS Layer…, New, as the URL.",
      text: wmts(services, item),
    },
    cog
      ? {
          id: "cog",
          title: "COG",
          hint: "QGIS: Layer › Add Layer › Add Raster Layer… Read in place, nothing is downloaded.",
          text: `/vsicurl/${cog}`,
        }
      : null,
    {
      id: "pystac-client",
      title: "pystac-client",
      hint: "Finds this Item: pip install pystac-client",
      text: pystacClient(services, item),
    },
    {
      id: "odc-stac",
      title: "odc-stac",
      hint: "Loads the mask as an xarray: pip install odc-stac pystac-client",
      text: odcStac(services, item),
    },
    cog
      ? {
          id: "gdal",
          title: "GDAL",
          hint: "Reads the mask in place, and writes where it is clear.",
          text: gdal(item, cog),
        }
      : null,
    cog
      ? {
          id: "curl",
          title: "curl",
          hint: "The Item as JSON, and the mask as a file.",
          text: downloads(services, item, cog),
        }
      : null,
  ];
  return all.filter((snippet) => snippet !== null);
}
