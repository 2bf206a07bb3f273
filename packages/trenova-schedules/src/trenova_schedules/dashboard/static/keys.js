// Keys of the first page; `?` lists them. Those of one letter or sign can be turned off there, and stay off.
"use strict";
(() => {
  const OFF = "trenova.keys.off";
  const rows = () => [...document.querySelectorAll(".schedules tbody tr")];
  const link = (row) => row?.querySelector("th a");
  const here = () => document.activeElement?.closest(".schedules tbody tr");
  const off = () => {
    try {
      return localStorage.getItem(OFF) === "yes";
    } catch {
      return false;
    }
  };

  function go(step) {
    const all = rows(), at = all.indexOf(here());
    const to = at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1);
    link(all[to])?.focus();
    all[to]?.scrollIntoView({ block: "nearest" });
  }

  const act = (...names) => {
    const row = here();
    const found = names.map((name) => row?.querySelector(`[data-act="${name}"]`)).find(Boolean);
    found?.click();
  };
  const first = () => {
    const step = document.querySelector("#attention [data-step]");
    step?.focus();
    step?.scrollIntoView({ block: "nearest" });
  };
  const signs = {
    "/": () => document.getElementById("q").focus(),
    "?": () => document.getElementById("keys").click(),
    a: first,
    j: () => go(1),
    k: () => go(-1),
    p: () => act("pause", "resume"),
    r: () => act("trigger"),
    b: () => act("backfill"),
  };
  const arrows = {
    ArrowDown: () => go(1),
    ArrowUp: () => go(-1),
    Home: () => go(-Infinity),
    End: () => go(Infinity),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    const does = event.key.length === 1 ? (off() ? null : signs[event.key]) : here() && arrows[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
  document.addEventListener("htmx:after:swap", () => {
    const on = document.getElementById("keys-on");
    if (on) on.checked = !off();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "keys-on") return;
    try {
      localStorage.setItem(OFF, event.target.checked ? "no" : "yes");
    } catch {
      event.target.checked = true; // nothing can be kept here
    }
  });
})();
