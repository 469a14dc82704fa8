// The field of the page: drawn, dropped, pasted or named by the address; outlined on the map.

import { geometryOf } from "../area/encoding.js";
import { createDrawing } from "../area/drawing.js";
import { AreaError } from "../area/errors.js";
import { fieldsOfFile, fieldsOfText, together } from "../area/files.js";
import { areaNamed, keepArea } from "../area/keeping.js";
import { boxOfArea } from "../area/measure.js";
import { addOutline } from "../area/outline.js";

/** @typedef {import("../area/geojson.js").Field} Field */
/** @typedef {import("../types").Geometry} Geometry */
/** @typedef {import("../types").Position} Position */
/** @typedef {import("../store.js").Store} Store */
/** @typedef {ReturnType<typeof import("../map.js").createMap>} MapParts */

const LOST =
  "This address names a field that was kept in another window. Draw it again, or drop its file.";
const UNREADABLE = "The field in this address cannot be read; the address may have been cut.";

/**
 * @param {object} parts
 * @param {Store} parts.store
 * @param {MapParts} parts.view
 * @param {() => "light" | "dark"} parts.theme
 * @param {HTMLElement} parts.frame  Around the map.
 * @param {(fields: Field[], file: string) => void} parts.offer
 * @param {(message: string | null) => void} parts.tell
 */
export function createField({ store, view, theme, frame, offer, tell }) {
  const outline = view.loaded.then(() => addOutline(view.map, theme, keep));
  const drawing = outline.then((drawn) => createDrawing(view.map, drawn, frame));

  /** @param {Geometry} geometry */
  function keep(geometry) {
    try {
      const area = keepArea(geometry, sessionStorage);
      store.change({ mode: "clear", item: null, area, pick: null }, { push: true });
    } catch {
      tell("The field's outline is too large to be kept by the browser. Simplify it first.");
    }
  }

  /** @param {Field[]} fields @param {string} name */
  function take(fields, name) {
    tell(null);
    const geometry = together(fields);
    keep(geometry);
    offer(fields, name);
    view.fit(boxOfArea(geometry));
  }

  /** @param {() => Field[] | Promise<Field[]>} read @param {string} name */
  async function read(read, name) {
    try {
      take(await read(), name);
    } catch (error) {
      if (!(error instanceof AreaError)) throw error;
      if (store.state.mode !== "clear") store.change({ mode: "clear", item: null }, { push: true });
      tell(error.message);
    }
  }

  /** Whether a file is held above the page. @param {DragEvent} event */
  const holdsFile = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  const welcomes = () => store.state.mode !== "operate";

  addEventListener("dragover", (event) => {
    if (!holdsFile(event) || !welcomes()) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  for (const end of ["dragleave", "drop", "dragend"]) {
    addEventListener(end, (event) => {
      // Leaving one element for another of the page is not leaving the page.
      if (end === "dragleave" && /** @type {DragEvent} */ (event).relatedTarget) return;
      document.body.classList.remove("dropping");
    });
  }
  addEventListener("drop", (event) => {
    if (!holdsFile(event) || !welcomes()) return;
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) void read(() => fieldsOfFile(file), file.name);
  });
  addEventListener("paste", (event) => {
    if (store.state.mode !== "clear" || event.target instanceof HTMLInputElement) return;
    const [file] = event.clipboardData?.files ?? [];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!file && !text.trim()) return;
    event.preventDefault();
    void read(
      file
        ? () => fieldsOfFile(file)
        : () => {
            const fields = fieldsOfText(text);
            if (!fields.length) throw new AreaError("What was pasted has no polygon in it.");
            return fields;
          },
      file?.name ?? "what was pasted",
    );
  });

  return {
    async draw() {
      tell(null);
      const pen = await drawing;
      const ring = await pen.ring();
      if (ring) {
        offer([], "");
        keep(geometryOf([[ring]]));
      }
    },

    async stop() {
      (await drawing).cancel();
    },

    takeView() {
      const [west, south, east, north] = view.bounds();
      /** @type {Position[]} */
      const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
      offer([], "");
      keep(geometryOf([[ring]]));
    },

    /** @param {File} file */
    takeFile: (file) => void read(() => fieldsOfFile(file), file.name),

    /** @param {Field[]} fields @param {number | null} index */
    choose(fields, index) {
      const geometry = index === null ? together(fields) : fields[index].geometry;
      keep(geometry);
      view.fit(boxOfArea(geometry));
    },

    /**
     * The field that the address names.
     *
     * @returns {Geometry | null}
     */
    named() {
      const { area } = store.state;
      if (!area) return null;
      const geometry = areaNamed(area, sessionStorage);
      if (!geometry) tell(area.startsWith("*") ? LOST : UNREADABLE);
      return geometry;
    },

    /** @param {Geometry | null} geometry */
    async show(geometry) {
      (await outline).show(geometry, { editable: true });
    },

    async paint() {
      (await outline).paint();
    },
  };
}
