// Loaded at once in <head>, so that the remembered theme is there before the first paint. Everything else waits for the page.
// Every page works without this file: it only remembers the theme, closes menus and toasts, and says when a refresh failed.
(() => {
  "use strict";
  const KEY = "tenantry-theme", root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem(KEY, theme); } catch { /* a private window keeps nothing */ } };

  function show(theme) {
    root.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("tenantry:theme"));
  }
  show(remembered() || (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (!remembered()) show(dark.matches ? "dark" : "light"); });

  function switchTheme() {
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    remember(theme);
    show(theme);
  }

  // A success may leave by itself: it is also in the activity. What went wrong stays until it is closed.
  const SECONDS_SHOWN = 8;
  function live(toast) {
    toast.querySelector("[data-shut]")?.removeAttribute("hidden");
    if (toast.dataset.stays === undefined) setTimeout(() => leave(toast), SECONDS_SHOWN * 1000);
  }
  function leave(toast) {
    if (toast.matches(":hover, :focus-within")) setTimeout(() => leave(toast), 1000);
    else toast.remove();
  }
  function say(template) {
    const region = document.getElementById("toasts"), kind = document.getElementById(template);
    if (!region || !kind || region.querySelector(`[data-kind="${template}"]`)) return;
    const toast = kind.content.firstElementChild.cloneNode(true);
    toast.dataset.kind = template;
    region.append(toast);
    live(toast);
  }

  function wake(part) {
    part.querySelectorAll("[data-needs-script]").forEach((each) => each.removeAttribute("hidden"));
    part.querySelectorAll(".toast").forEach(live);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) switchTheme();
    event.target.closest("[data-shut]")?.closest(".toast").remove();
    document.querySelectorAll(".t-top details[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(".t-top details[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-choose-all]");
    if (all) all.form.querySelectorAll(`input[name="${all.dataset.chooseAll}"]`).forEach((box) => { box.checked = all.checked; });
  });
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) wake(event.target); if (event.target.matches?.(".toast")) live(event.target); });
  document.addEventListener("htmx:sendError", () => say("toast-no-answer"));
  document.addEventListener("htmx:timeout", () => say("toast-no-answer"));
  document.addEventListener("htmx:responseError", () => say("toast-refused"));
  document.addEventListener("DOMContentLoaded", () => {
    wake(document);
    // A form that came back with errors takes the reader to them; autofocus in markup would do so on every page.
    document.querySelector("[data-focus]")?.focus();
  });
})();
