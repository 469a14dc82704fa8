// The first map. The rest of the page comes when it is there.

import { footprintTemplate } from "./addresses.js";
import { byId } from "./dom.js";
import * as early from "./early.js";
import { createMap } from "./map.js";
import { createModes } from "./modes.js";
import { mosaicOf } from "./mosaic.js";
import { createStore } from "./store.js";
import { createTheme } from "./theme.js";

const FRAME_MS = 150;

/** Wait until the browser has painted, or will not soon. */
const frame = () =>
  Promise.race([
    new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))),
    new Promise((resolve) => setTimeout(resolve, FRAME_MS)),
  ]);

const { services } = early;
const store = createStore();
const theme = createTheme(byId("theme", HTMLButtonElement), (next) => {
  void view.setTheme(next);
  void rest.then(({ paint }) => paint());
});
createModes(byId("modes", HTMLElement), store);
// The page is seen before the map is made, which holds everything else up.
const [config, collection] = await Promise.all([early.config, early.firstCollection(), frame()]);
const box = await early.firstBox(collection);
const { state } = store;

const view = createMap(byId("map", HTMLElement), {
  theme,
  config,
  view: state.view,
  box,
  template: collection && footprintTemplate(services, collection.id, state.from, state.to),
  hearing: {
    moved: (at, byHand) => void rest.then(({ moved }) => moved(at, byHand)),
    picked: (place, pile) => void rest.then(({ pick }) => pick(place, pile)),
    tilesFailed: (message) => void rest.then(({ tilesFailed }) => tilesFailed(message)),
  },
});
void view.showMosaic(mosaicOf(services, collection?.id ?? null, state));

// Who came for something else than the map does not wait for it.
const ready = state.mode === "map" && !state.item ? view.shown : null;
const rest = Promise.all([import("./page.js"), ready]).then(([{ createPage }]) =>
  createPage({ services, store, view, config, box }),
);
