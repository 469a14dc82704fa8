// News of the lanes and the backfills, for as long as somebody looks.

import { wordsOf } from "../notices.js";
import { readEvents } from "./stream.js";

/** @typedef {import("./types").Everything} Everything */

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

/**
 * @param {ReturnType<typeof import("./session.js").createSession>} session
 * @param {object} hears
 * @param {(told: Everything) => void} hears.news
 * @param {(message: string) => void} hears.silence  There are none, and why.
 */
export function createFollowing(session, { news, silence }) {
  /** @type {AbortController | null} */
  let following = null;

  async function follow() {
    following?.abort();
    const { signal } = (following = new AbortController());
    let wait_ms = FIRST_WAIT_MS;
    while (!signal.aborted && session.has()) {
      let why = "";
      try {
        const response = await session.request("events", { signal });
        await readEvents(response, (event, data) => {
          wait_ms = FIRST_WAIT_MS;
          const told = JSON.parse(data);
          if (event === "problem") silence(told.detail);
          else news(told);
        });
      } catch (error) {
        if (signal.aborted || !session.has()) return;
        why = `${wordsOf(error)} Trying again.`;
      }
      silence(why);
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
      wait_ms = Math.min(LONGEST_WAIT_MS, wait_ms * 2);
    }
  }

  return {
    /** Begin anew. */
    start: () => void follow(),

    stop() {
      following?.abort();
      following = null;
    },

    isOn: () => following !== null,
  };
}
