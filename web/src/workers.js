// The map's worker, started while the rest of the page is still on its way.

import { prewarm, setWorkerUrl } from "maplibre-gl";

// Under the address that the page asks for at once.
setWorkerUrl(new URL("../vendor/maplibre-gl-worker.mjs", import.meta.url).href);
prewarm();
