// Shows every <time> in the zone and the manner of whoever looks; data-zone names another zone, such as the schedule's.
"use strict";
(() => {
  const viewer = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const styles = {
    minute: { dateStyle: "medium", timeStyle: "short" },
    second: { dateStyle: "medium", timeStyle: "medium" },
    clock: { timeStyle: "short" },
    day: { dateStyle: "full" },
    "weekday-clock": { weekday: "short", hour: "numeric", minute: "2-digit" },
    weekday: { weekday: "short", year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" },
  };
  styles["weekday-second"] = { ...styles.weekday, second: "2-digit" };
  for (const one of ["weekday", "weekday-second"]) styles[`${one}-near`] = { ...styles[one], year: undefined };
  const NEAR = 300 * 86400 * 1000; // ms in which nobody takes a day for one of another year
  const formats = new Map();
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function format(style, zone) {
    const key = `${style} ${zone}`;
    if (!formats.has(key)) {
      let made;
      try {
        made = new Intl.DateTimeFormat(undefined, { ...styles[style], timeZone: zone });
      } catch {
        made = new Intl.DateTimeFormat(undefined, { ...styles[style], timeZone: "UTC" });
      }
      formats.set(key, made);
    }
    return formats.get(key);
  }

  function away(at) {
    const seconds = (at - Date.now()) / 1000;
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || ["second", 1];
    return relative.format(Math.trunc(seconds / size), unit);
  }

  function show(element) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const zone = element.dataset.zone || viewer;
    const told = element.dataset.style || "minute";
    const style = `${told}-near` in styles && Math.abs(at - Date.now()) < NEAR ? `${told}-near` : told;
    if (style === "relative") {
      element.textContent = away(at);
      element.title = format("second", zone).format(at);
    } else {
      element.textContent = format(style in styles ? style : "minute", zone).format(at);
      element.title = `${at.toISOString()}${element.dataset.zone ? ` · ${zone}` : ""}`;
    }
  }

  function showAll(root) {
    root.querySelectorAll("time[datetime]").forEach(show);
    root.querySelectorAll("[data-zone-name]").forEach((element) => { element.textContent = viewer; });
    root.querySelectorAll("input[data-viewer-zone]").forEach((element) => { element.value = viewer; });
  }

  document.addEventListener("DOMContentLoaded", () => showAll(document));
  document.addEventListener("htmx:after:swap", () => showAll(document));
  setInterval(() => document.querySelectorAll('time[data-style="relative"]').forEach(show), 15000);
})();
