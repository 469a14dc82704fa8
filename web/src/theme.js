// Light or dark: the system's choice, until the reader makes another.

import { icon } from "./dom.js";

/** @typedef {"light" | "dark"} Theme */

const KEY = "nimbostac-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** @returns {Theme | null} */
function stored() {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // Storage is forbidden: the choice lasts as long as the page.
  }
}

/** @param {Theme} theme */
function store(theme) {
  try {
    if (theme === (system.matches ? "dark" : "light")) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {(theme: Theme) => void} changed
 * @returns {Theme}  The theme to begin with.
 */
export function createTheme(button, changed) {
  /** @type {Theme} */
  let theme = stored() ?? (system.matches ? "dark" : "light");

  function show() {
    document.documentElement.dataset.theme = theme;
    const other = theme === "dark" ? "light" : "dark";
    button.replaceChildren(icon(other === "dark" ? "theme" : "sun"));
    button.setAttribute("aria-label", `Use ${other} colours`);
    button.title = `Use ${other} colours`;
  }

  /** @param {Theme} next */
  function use(next) {
    theme = next;
    show();
    changed(theme);
  }

  button.addEventListener("click", () => {
    use(theme === "dark" ? "light" : "dark");
    store(theme);
  });
  system.addEventListener("change", () => use(stored() ?? (system.matches ? "dark" : "light")));
  show();
  return theme;
}
