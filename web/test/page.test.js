import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const web = new URL("..", import.meta.url);
const page = readFileSync(new URL("index.html", web), "utf8");
const modules = readdirSync(new URL("src/", web), { recursive: true })
  .map((path) => String(path).replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".js"));

/** @param {string} name */
const source = (name) => readFileSync(new URL(`src/${name}`, web), "utf8");

test("the security policy allows the import map and no other script of the page", () => {
  const [, map] = /<script type="importmap">([^]*?)<\/script>/.exec(page) ?? [];
  const hash = createHash("sha256").update(map).digest("base64");
  assert.ok(page.includes(`script-src 'self' 'sha256-${hash}'`), `should say sha256-${hash}`);
  assert.doesNotMatch(page, /\son\w+=|style="|<style/);
});

test("the page loads nothing from elsewhere", () => {
  const elsewhere = /(?:src|href)="(?:https?:)?\/\//;
  assert.doesNotMatch(page, elsewhere);
  for (const name of modules) {
    assert.doesNotMatch(source(name), /import[^;]*["'](?:https?:)?\/\//, name);
  }
});

test("modules import each other by address, and by name only what the import map has", () => {
  const [, map] = /<script type="importmap">([^]*?)<\/script>/.exec(page) ?? [];
  const named = Object.keys(JSON.parse(map).imports);
  for (const name of modules) {
    for (const [, from] of source(name).matchAll(/^(?:import|\} from) [^"]*"?([^"]+)";$/gm)) {
      const path = new URL(from, `file:///${name}`).pathname.slice(1);
      if (!from.startsWith(".")) assert.ok(named.includes(from), `${name}: ${from}`);
      else assert.ok(modules.includes(path), `${name}: ${from}`);
    }
  }
});

test("every module that the page begins with is asked for at once, and none that it may not need", () => {
  const wanted = new Set(["main.js"]);
  for (const name of wanted) {
    for (const [, from] of source(name).matchAll(/^(?:import .* from|\} from|import) "(\.[^"]+)";$/gm)) {
      wanted.add(new URL(from, `file:///${name}`).pathname.slice(1));
    }
  }
  wanted.delete("main.js");
  const links = [...page.matchAll(/<link rel="modulepreload" href="src\/([^"]+)"/g)];
  assert.deepEqual(links.map(([, name]) => name).sort(), [...wanted].sort());
});
