// The row of ticks: arrow keys go from mark to mark, its words stand below, and two marks are a range to backfill.
"use strict";
(() => {
  let first = null, choosing = false;
  const strip = () => document.querySelector(".strip");
  const marks = () => [...document.querySelectorAll(".strip a.mark")];
  const chooser = () => document.getElementById("choose-range");

  function rove(current) {
    const all = marks();
    const one = current || all.find((mark) => mark === document.activeElement) || all.findLast((mark) => !mark.matches(".ahead")) || all[0];
    for (const mark of all) mark.tabIndex = mark === one ? 0 : -1;
  }

  function told(mark) {
    const at = new Date(mark.dataset.at);
    const show = (timeZone) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone }).format(at);
    const zone = strip().dataset.zone;
    let own = "";
    try {
      own = ` (${show(zone)} in ${zone})`;
    } catch {
      own = ""; // a zone that the server knows and this browser does not
    }
    return `${show(undefined)}${own}: ${mark.dataset.words}`;
  }

  function describe(mark) {
    const words = document.getElementById("mark-words");
    if (words) words.textContent = told(mark);
  }

  function say(text) {
    const hint = document.getElementById("range-hint");
    if (hint) hint.textContent = text;
  }

  function paint() {
    for (const mark of marks()) mark.toggleAttribute("data-chosen", first !== null && mark.dataset.at === first.at);
    chooser()?.setAttribute("aria-pressed", String(choosing));
    strip()?.toggleAttribute("data-choosing", choosing);
  }

  function stop(text) {
    choosing = false;
    first = null;
    paint();
    say(text);
  }

  function choose(mark) {
    const { at, until } = mark.dataset;
    if (first === null) {
      first = { at, until };
      paint();
      say("Now the last tick of the range. Escape gives up.");
      return;
    }
    const start = first.at < at ? first.at : at;
    const end = first.until > until ? first.until : until;
    const address = `${chooser().dataset.backfill}?start=${encodeURIComponent(start)}&end=${encodeURIComponent(end)}`;
    stop("The range stands below, under Backfill.");
    htmx.ajax("GET", address, { target: "#backfill", swap: "innerHTML" }).then(() => {
      document.getElementById("backfill-title").scrollIntoView({ block: "start" });
      document.querySelector("#backfill input[name=start]")?.focus({ preventScroll: true });
    });
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#choose-range")) {
      if (choosing) return stop("");
      choosing = true;
      paint();
      say("Choose the first tick of the range.");
      document.querySelector('.strip a.mark[tabindex="0"]')?.focus();
      return;
    }
    const mark = choosing ? event.target.closest(".strip a.mark:not(.ahead)") : null;
    if (!mark) return;
    event.preventDefault();
    choose(mark);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && choosing) return stop("No range was chosen.");
    const mark = event.target.closest(".strip a.mark");
    if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = marks();
    const to = { ArrowLeft: all.indexOf(mark) - 1, ArrowRight: all.indexOf(mark) + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    rove(all[to]);
    all[to].focus();
  });
  for (const kind of ["focusin", "mouseover"]) {
    document.addEventListener(kind, (event) => {
      const mark = event.target.closest?.(".strip a.mark");
      if (mark) describe(mark);
      if (mark && kind === "focusin") rove(mark);
    });
  }
  document.addEventListener("DOMContentLoaded", () => rove());
  document.addEventListener("htmx:after:swap", () => {
    rove();
    paint();
  });
})();
