// The divider between two pictures: dragged, or moved by keys.

import { h } from "../dom.js";

/**
 * @param {(percent: number) => void} moved  Called while it moves, per cent from the left.
 */
export function createDivider(moved) {
  let at = 50;
  const element = h(
    "div",
    {
      class: "divider",
      role: "slider",
      tabIndex: 0,
      "aria-label": "Divider of the two pictures",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const next = {
          ArrowLeft: at - 2,
          ArrowDown: at - 2,
          ArrowRight: at + 2,
          ArrowUp: at + 2,
          PageDown: at - 10,
          PageUp: at + 10,
          Home: 0,
          End: 100,
        }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        move(next);
      },
      onpointerdown: (/** @type {PointerEvent} */ event) => {
        event.preventDefault();
        element.focus({ preventScroll: true });
        element.setPointerCapture(event.pointerId);
      },
      onpointermove: (/** @type {PointerEvent} */ event) => {
        if (!element.hasPointerCapture(event.pointerId)) return;
        const frame = element.parentElement?.getBoundingClientRect();
        if (frame) move(((event.clientX - frame.left) / frame.width) * 100);
      },
    },
    h("i", { "aria-hidden": "true" }),
  );

  /** @param {number} percent */
  function move(percent) {
    moved(Math.round(Math.min(100, Math.max(0, percent))));
  }

  return {
    element,
    /** @param {number} percent @param {string} left @param {string} right */
    show(percent, left, right) {
      at = percent;
      element.style.left = `${percent}%`;
      element.setAttribute("aria-valuenow", String(percent));
      element.setAttribute(
        "aria-valuetext",
        `${left} on ${percent} % of the width, ${right} on the rest`,
      );
    },
  };
}
