import assert from "node:assert/strict";
import { test } from "node:test";

import {
  interval,
  itemAddress,
  mosaicTemplate,
  servicesBeside,
  timelineAddress,
  tileJson,
  tileTemplate,
  withQuery,
  wmts,
} from "../src/addresses.js";
import { ID, item } from "./items.js";

test("the services are beside the page, whatever a proxy put before it", () => {
  assert.deepEqual(servicesBeside("http://localhost:8080/?item=a"), {
    stac: "http://localhost:8080/stac",
    tiler: "http://localhost:8080/tiler",
    admin: "http://localhost:8080/admin",
  });
  assert.deepEqual(servicesBeside("https://example.org/masks/index.html"), {
    stac: "https://example.org/masks/stac",
    tiler: "https://example.org/masks/tiler",
    admin: "https://example.org/masks/admin",
  });
});

test("an Item's own links are what is taken", () => {
  const services = servicesBeside("https://example.org/");
  assert.equal(
    tileTemplate(services, item(), "preview"),
    `http://localhost:8080/tiler/collections/ukis-csmask-l1c/items/${ID}` +
      "/tiles/WebMercatorQuad/{z}/{x}/{y}.png?assets=preview",
  );
});

test("an Item without links has the tiles that the services would have", () => {
  const services = servicesBeside("https://example.org/");
  const bare = { ...item({ id: "a/b" }), links: [] };
  const path = "/collections/ukis-csmask-l1c/items/a%2Fb";
  const tiler = `https://example.org/tiler${path}`;
  assert.equal(
    tileTemplate(services, bare, "mask"),
    `${tiler}/tiles/WebMercatorQuad/{z}/{x}/{y}.png?assets=mask`,
  );
  assert.equal(tileJson(services, bare), `${tiler}/WebMercatorQuad/tilejson.json?assets=mask`);
  assert.equal(wmts(services, bare), `${tiler}/WMTSCapabilities.xml?assets=mask`);
  assert.equal(itemAddress(services, bare), `https://example.org/stac${path}`);
});

test("a value in a query is set once, and the template stays one", () => {
  const template = "http://a/{z}/{x}/{y}.png?assets=mask&classes=clear";
  assert.equal(
    withQuery(template, "classes", "cloud,cloud_shadow"),
    "http://a/{z}/{x}/{y}.png?assets=mask&classes=cloud,cloud_shadow",
  );
  assert.equal(withQuery("http://a/{z}?b=1", "b", null), "http://a/{z}");
  assert.equal(withQuery("http://a/{z}", "c", "1/2"), "http://a/{z}?c=1%2F2");
});

test("days are whole, the last one included", () => {
  assert.equal(interval(null, null), null);
  assert.equal(
    interval("2020-05-09", "2020-05-10"),
    "2020-05-09T00:00:00Z/2020-05-10T23:59:59.999Z",
  );
  assert.equal(interval(null, "2020-05-10"), "../2020-05-10T23:59:59.999Z");
});

test("a mosaic is of the chosen days", () => {
  const services = servicesBeside("http://localhost/");
  const template = mosaicTemplate(services, "a", "2020-05-09", null);
  const tiles = "http://localhost/tiler/collections/a/tiles/WebMercatorQuad/{z}/{x}/{y}.png";
  const since = "datetime=2020-05-09T00%3A00%3A00Z%2F..";
  assert.equal(template, `${tiles}?assets=mask&${since}&tilesize=512`);
  assert.equal(mosaicTemplate(services, "a", null, null), `${tiles}?assets=mask&tilesize=512`);
});

test("a timeline is asked for with its west on the globe, however often the map was turned", () => {
  const box = (/** @type {import("../src/types").Box} */ view) =>
    new URL(timelineAddress(servicesBeside("http://localhost/"), "a", view)).searchParams.get("bbox");
  assert.equal(box([10, 50, 20, 60]), "10,50,20,60");
  assert.equal(box([530, -10, 550, 0]), "170,-10,190,0");
  assert.equal(box([-190, -95, -170, 95]), "170,-90,190,90");
  assert.equal(box([-300, -85, 300, 85]), "-180,-85,180,85");
});
