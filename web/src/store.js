// The state of the page, kept in its address and in the history of the browser.

import { readState, writeState } from "./state.js";

/** @typedef {import("./types").State} State */
/** @typedef {(state: State, previous: State) => void} Listener */

/** Browsers refuse hundreds of changes of the address in a row, as a slider makes them. */
const WRITE_MS = 200;

export function createStore() {
  let state = readState(location.search);
  /** @type {Listener[]} */
  const listeners = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {State} of */
  const address = (of) => `${location.pathname}${writeState(of)}${location.hash}`;

  function write() {
    clearTimeout(timer);
    timer = undefined;
    history.replaceState(null, "", address(state));
  }

  /** @param {State} next */
  function become(next) {
    const previous = state;
    state = next;
    for (const listener of listeners) listener(state, previous);
  }

  addEventListener("popstate", () => {
    clearTimeout(timer);
    timer = undefined;
    become(readState(location.search));
  });
  addEventListener("pagehide", () => timer && write());

  return {
    get state() {
      return state;
    },

    /**
     * @param {Partial<State>} patch
     * @param {{ push?: boolean }} [options]  `push`: a step that the back button undoes.
     */
    change(patch, { push = false } = {}) {
      if (push) {
        if (timer) write();
        history.pushState(null, "", address({ ...state, ...patch }));
      } else {
        timer ??= setTimeout(write, WRITE_MS);
      }
      become({ ...state, ...patch });
    },

    /** Address of the page in another state. @param {Partial<State>} patch */
    addressOf(patch) {
      return address({ ...state, ...patch });
    },

    /** @param {Listener} listener */
    hear(listener) {
      listeners.push(listener);
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */
