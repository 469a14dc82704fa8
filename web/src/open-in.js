// Ways to use a product elsewhere: tabs of addresses and code, each copied by one click.

import { h, icon } from "./dom.js";
import { snippetsOf } from "./snippets.js";

/** @typedef {import("./types").Item} Item */
/** @typedef {import("./types").Services} Services */
/** @typedef {import("./types").Snippet} Snippet */

/** @param {string} code */
function copyButton(code) {
  const word = h("span", {}, "Copy");
  const button = h(
    "button",
    {
      type: "button",
      class: "copy",
      onclick: async () => {
        let copied = true;
        try {
          await navigator.clipboard.writeText(code);
        } catch {
          // Not over plain http from another machine: the text is marked instead.
          const shown = button.parentElement?.querySelector("code");
          if (shown) getSelection()?.selectAllChildren(shown);
          copied = false;
        }
        button.replaceChildren(icon(copied ? "done" : "copy"), word);
        word.textContent = copied ? "Copied" : "Press Ctrl C";
        setTimeout(() => {
          button.replaceChildren(icon("copy"), word);
          word.textContent = "Copy";
        }, 2500);
      },
    },
    icon("copy"),
    word,
  );
  // No role of its own, which would take the word from the name of the button.
  word.setAttribute("aria-live", "polite");
  return button;
}

/**
 * Tabs of code, one of which is shown.
 *
 * @param {string} id  Of the element; tabs get theirs from it.
 * @param {string} title
 * @param {Snippet[]} snippets
 */
export function codeTabs(id, title, snippets) {
  const panel = h("div", { role: "tabpanel", id, class: "snippet" });

  /** @param {number} index */
  function choose(index) {
    const snippet = snippets[index];
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `${id}-${snippet.id}`);
    panel.replaceChildren(
      h("p", { class: "soft" }, snippet.hint),
      h("pre", { tabIndex: 0 }, h("code", {}, snippet.text)),
      copyButton(snippet.text),
    );
  }

  const tabs = snippets.map((snippet, index) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `${id}-${snippet.id}`,
        "aria-controls": id,
        onclick: () => choose(index),
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step) return;
          const next = (index + step + tabs.length) % tabs.length;
          choose(next);
          tabs[next].focus();
        },
      },
      snippet.title,
    ),
  );
  choose(0);
  return h(
    "section",
    {},
    h("h3", {}, title),
    h("div", { class: "tabs", role: "tablist", "aria-label": title }, ...tabs),
    panel,
  );
}

/**
 * @param {Services} services
 * @param {Item} item
 */
export const openIn = (services, item) =>
  codeTabs("snippet", "Open in", snippetsOf(services, item));
