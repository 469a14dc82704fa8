// Asking for the sky over a polygon, a year at a time; what the server refuses is told in words.

import { fetchJson, ServiceError } from "../catalog.js";
import { bodyOf, halvesOf, yearsOf } from "./question.js";

/** @typedef {import("./question.js").Question} Question */
/** @typedef {import("./series.js").Acquisition} Acquisition */
/** @typedef {import("../types").Services} Services */

const WHO = "The tile server";
const TOO_MUCH = /too much for one request: (.+?): (.+), and at most (.+)$/;
/** What a shorter period helps against. */
const OF_TIME = /products|seconds/;

/** @param {unknown} error @returns {RegExpExecArray | null} */
const limitOf = (error) => (error instanceof ServiceError ? TOO_MUCH.exec(error.message) : null);

/** What went wrong, and what helps. @param {unknown} error */
export function skyWords(error) {
  const limit = limitOf(error);
  if (limit) {
    const [, what, got, most] = limit;
    const remedy = OF_TIME.test(what)
      ? "Choose a shorter period or a smaller field."
      : "Draw a smaller or simpler field.";
    const number = Number(most);
    const bound = Number.isFinite(number) ? number.toLocaleString("en") : most;
    return `That is more than the server does at once: ${what}: ${got}, and at most ${bound}. ${remedy}`;
  }
  if (error instanceof ServiceError && error.status === 429) {
    return "The server works on other fields at the moment. Try again in a while.";
  }
  return error instanceof Error ? error.message : String(error);
}

/**
 * Ask for all acquisitions of a period.
 *
 * @param {Services} services
 * @param {Question & { from: string, to: string }} question
 * @param {AbortSignal} signal
 * @param {(found: Acquisition[], done: number, total: number) => void} progress  Called after each
 *   part of the period; the last call has all of it.
 * @throws {ServiceError}
 */
export async function askSeries(services, question, signal, progress) {
  const left = yearsOf(question.from, question.to);
  /** @type {Acquisition[]} */
  const found = [];
  let done = 0;
  while (left.length) {
    const [period] = left;
    const body = bodyOf({ ...question, ...period });
    try {
      const answer = await fetchJson(`${services.tiler}/timeseries`, { body, signal, who: WHO });
      found.push(...answer.acquisitions);
      left.shift();
      done += 1;
      progress(found, done, done + left.length);
    } catch (error) {
      const halves = halvesOf(period);
      if (!OF_TIME.test(limitOf(error)?.[1] ?? "") || halves.length === 1) throw error;
      left.splice(0, 1, ...halves);
    }
  }
}

/**
 * @typedef {object} Cover  A set of acquisitions that together see a polygon clear.
 * @property {number} achieved  0 to 1.
 * @property {{ datetime: string, collection: string, items: string[], adds: number, achieved: number }[]} acquisitions
 */

/**
 * @param {Services} services
 * @param {Question} question
 * @param {number} share  Per cent.
 * @param {AbortSignal} signal
 * @returns {Promise<Cover>}
 * @throws {ServiceError}
 */
export function askCover(services, question, share, signal) {
  const body = { ...bodyOf(question), share: share / 100 };
  return fetchJson(`${services.tiler}/clear/cover`, { body, signal, who: WHO });
}
