// The token, kept as long as the tab is open and nowhere else, and everything asked with it.

import { ServiceError } from "../catalog.js";

/** @typedef {import("./types").SessionFacts} SessionFacts */

const KEY = "nimbostac-token";
const WHO = "The administration";

/** @returns {string | null} */
function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // Storage is forbidden: the token lasts as long as the page.
  }
}

/** @param {string | null} token */
function store(token) {
  try {
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}

/**
 * @param {string} base  Address of the administration.
 * @param {() => void} changed  The token or what is known of it is another one.
 */
export function createSession(base, changed) {
  let token = stored();
  /** @type {SessionFacts | null} */
  let facts = null;
  /** Why there is no good token. */
  let problem = "";

  /** @param {string} why */
  function lose(why) {
    [token, facts, problem] = [null, null, why];
    store(null);
    changed();
  }

  /**
   * @param {string} path
   * @param {{ body?: unknown, method?: string, signal?: AbortSignal }} [options]
   * @throws {ServiceError}
   */
  async function request(path, { body, method, signal } = {}) {
    /** @type {Response} */
    let response;
    try {
      response = await fetch(`${base}/${path}`, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServiceError(`${WHO} does not answer. Is the stack running?`, null);
    }
    if (response.ok) return response;
    const told = detailOf(await response.json().catch(() => null));
    if (response.status === 401) {
      lose("This token is not good any more, or never was: it has expired, was revoked or is unknown. Enter another one.");
    }
    throw new ServiceError(told || `${WHO} answered ${response.status}.`, response.status);
  }

  return {
    request,
    /** @param {string} path @param {{ body?: unknown, method?: string, signal?: AbortSignal }} [options] */
    ask: async (path, options) => (await request(path, options)).json(),
    get facts() {
      return facts;
    },
    get problem() {
      return problem;
    },
    has: () => token !== null,
    mayOperate: () => facts?.role === "operate",

    /** Find out whose token it is. @throws {ServiceError} */
    async open() {
      facts = await this.ask("session");
      problem = "";
      changed();
    },

    /** @param {string} next @throws {ServiceError} */
    async use(next) {
      token = next;
      await this.open();
      store(next);
    },

    forget: () => lose(""),
  };
}

/** @typedef {ReturnType<typeof createSession>} Session */

/** @param {any} body */
function detailOf(body) {
  const detail = body?.detail;
  if (typeof detail === "string") return sentence(detail);
  if (!Array.isArray(detail)) return "";
  return detail
    .map(({ loc, msg }) => {
      const where = (loc ?? []).filter((/** @type {unknown} */ part) => part !== "body").join(" ");
      return sentence(`${where}: ${String(msg).replace(/^Value error, /, "")}`);
    })
    .join(" ");
}

/** @param {string} text */
function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
