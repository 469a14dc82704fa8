import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { servicesBeside } from "../src/addresses.js";
import { snippetsOf } from "../src/snippets.js";
import { ID, item } from "./items.js";

const services = servicesBeside("http://localhost:8080/");
const texts = Object.fromEntries(snippetsOf(services, item()).map(({ id, text }) => [id, text]));

test("XYZ and WMTS are the addresses that the Item links to", () => {
  assert.match(texts.xyz, /\/tiles\/WebMercatorQuad\/\{z\}\/\{x\}\/\{y\}\.png\?assets=mask$/);
  assert.match(texts.wmts, /\/WMTSCapabilities\.xml\?assets=mask$/);
  assert.ok(texts.cog.startsWith("/vsicurl/http://localhost:8080/stac/"));
});

test("Python snippets are Python and name just this Item", () => {
  for (const name of ["pystac-client", "odc-stac"]) {
    execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], {
      input: texts[name],
    });
    assert.match(texts[name], /"http:\/\/localhost:8080\/stac"/, name);
    assert.match(texts[name], /collections=\["ukis-csmask-l1c"\]/, name);
    assert.ok(texts[name].includes(`ids=["${ID}"]`), name);
  }
});

test("shell snippets hand the address on as it is, quotes and all", () => {
  const [first] = texts.gdal.split("\n");
  const printed = execFileSync("sh", ["-c", first.replace("gdalinfo", "printf %s")]);
  assert.equal(String(printed), texts.cog);
});

test("an Item without a mask has no snippets that need one", () => {
  const bare = { ...item(), assets: {} };
  const names = snippetsOf(services, bare).map(({ id }) => id);
  assert.deepEqual(names, ["xyz", "wmts", "pystac-client", "odc-stac"]);
});
