// The way in: a form for the token, and how to get one.

import { h } from "../dom.js";

/**
 * @param {HTMLElement} element
 * @param {(token: string) => Promise<boolean>} enter  Tells whether the token opens.
 */
export function createGate(element, enter) {
  const field = h("input", {
    id: "token",
    type: "password",
    required: true,
    autocomplete: "off",
    spellcheck: false,
  });
  const why = h("p", { class: "why", role: "alert" });
  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (await enter(field.value.trim())) field.value = "";
  }
  element.append(
    why,
    h(
      "form",
      { onsubmit: submit },
      h("label", { for: "token" }, "Token"),
      field,
      h("button", { type: "submit", class: "main" }, "Open"),
    ),
    h("p", { class: "soft" }, "Backfills, failures and workers are for operators. A token is made on the server, and shown once:"),
    h("pre", {}, "nimbostac token create maria --role operate --days 90"),
    h("p", { class: "soft" }, "The page keeps the token until this tab is closed."),
  );

  return {
    /** Say why the token does not open any more. @param {string} problem */
    explain(problem) {
      why.textContent = problem;
    },

    focus() {
      field.focus();
    },
  };
}
