// Keeps which rows of the list are selected, by id, over everything that happens to the list: refreshes, filters, other
// pages. What is selected and not in view is named in the bar, goes with every action, and is never dropped silently.
"use strict";
(() => {
  const KEY = `bulk-selected ${location.pathname}`;
  const selected = new Set(remembered());
  let everything = false; // all that match were taken, and none was changed by hand since
  let anchor = null; // where a range begins
  let inView = null; // the ids of the rows at the last look

  function remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY)) || [];
    } catch {
      return [];
    }
  }

  const bar = () => document.getElementById("bulk");
  const boxes = () => [...document.querySelectorAll("input[type=checkbox][name=id][form=bulk]")];
  const say = (value) => document.dispatchEvent(new CustomEvent("say", { detail: { value } }));
  const schedules = (count) => `${count.toLocaleString()} ${count === 1 ? "schedule" : "schedules"}`;

  function choose(ids, on, all = false) {
    for (const id of ids) on ? selected.add(id) : selected.delete(id);
    everything = all;
    paint();
  }

  function through(box, shift) {
    const all = boxes(), to = all.indexOf(box), from = all.findIndex((one) => one.value === anchor);
    const range = shift && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
    anchor = box.value;
    choose(range.map((one) => one.value), box.checked);
  }

  function hidden(id) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "id", value: id });
    return input;
  }

  function taken(id) {
    const item = document.createElement("li"), button = document.createElement("button");
    Object.assign(button, { type: "button", className: "bulk-link", textContent: "Take out" });
    button.setAttribute("aria-label", `Take out ${id}`);
    button.dataset.out = id;
    item.append(`${id} `, button);
    return item;
  }

  function paintElsewhere(ids) {
    const details = document.getElementById("bulk-elsewhere");
    details.hidden = !ids.length;
    details.querySelector("summary").textContent = `${ids.length.toLocaleString()} of them not in view`;
    details.querySelector("ul").replaceChildren(...ids.map(taken));
    document.getElementById("bulk-more").replaceChildren(...ids.map(hidden));
  }

  function paintAll(rows) {
    const total = Number(document.getElementById("bulk-list")?.dataset.total || 0);
    const button = document.getElementById("bulk-all");
    button.hidden = everything || total <= rows.length || !rows.every((box) => box.checked);
    button.textContent = `Select all ${total.toLocaleString()} that match`;
  }

  function paint() {
    const form = bar();
    sessionStorage.setItem(KEY, JSON.stringify([...selected]));
    if (!form) return;
    const rows = boxes(), most = Number(form.dataset.most);
    for (const box of rows) {
      box.checked = selected.has(box.value);
      box.closest("tr").classList.toggle("bulk-chosen", box.checked);
    }
    const page = document.getElementById("bulk-page"), chosen = rows.filter((box) => box.checked).length;
    if (page) Object.assign(page, { checked: chosen > 0 && chosen === rows.length, indeterminate: chosen > 0 && chosen < rows.length });
    const shown = new Set(rows.map((box) => box.value));
    paintElsewhere([...selected].filter((id) => !shown.has(id)).sort());
    paintAll(rows);
    const many = selected.size > most;
    const text = `${schedules(selected.size)} selected${many ? `; at most ${most} go at once` : ""}`;
    const count = document.getElementById("bulk-count");
    if (count.textContent !== text) count.textContent = text;
    form.elements.everything.value = String(everything);
    for (const button of form.querySelectorAll(".bulk-does button")) button.disabled = many;
    form.hidden = !selected.size;
    document.body.classList.toggle("bulk-open", !form.hidden);
    return shown;
  }

  function looked() { // after the list was drawn anew: what of the selection was in view and is not any more is told
    const shown = paint();
    if (!shown) return;
    const left = [...(inView || [])].filter((id) => selected.has(id) && !shown.has(id));
    if (left.length === 1) say(`${left[0]} is not in this list any more; it stays selected.`);
    else if (left.length) say(`${schedules(left.length)} are not in this list any more; they stay selected.`);
    inView = shown;
  }

  async function takeAll() {
    const list = document.getElementById("bulk-list");
    let found;
    try {
      const answer = await fetch(list.dataset.ids, { headers: { "HX-Request": "true" } });
      found = answer.ok ? await answer.json() : null;
    } catch {
      found = null;
    }
    if (!found) return say("The server does not say which schedules match. Nothing was selected; try again.");
    const most = Number(bar().dataset.most);
    if (found.total > most) return say(`${schedules(found.total)} match, and at most ${most} go at once. Narrow the list.`);
    if (found.total !== Number(list.dataset.total)) return say(`${schedules(found.total)} match by now. Look at the list again, then select them.`);
    choose(found.ids, true, true);
    document.querySelector(".bulk-does button")?.focus();
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.matches("input[name=id][form=bulk]")) through(target, event.shiftKey);
    else if (target.id === "bulk-page") choose(boxes().map((box) => box.value), target.checked);
    else if (target.id === "bulk-all") takeAll();
    else if (target.dataset.out !== undefined) choose([target.dataset.out], false);
    else if (target.id === "bulk-none") {
      const count = selected.size;
      selected.clear();
      choose([], false);
      say(`${schedules(count)} no longer selected.`);
      document.getElementById("bulk-page")?.focus();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("#bulk")) event.preventDefault(); // Enter in a checkbox
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = event.target.closest?.(".schedules tr"), box = row?.querySelector("input[name=id][form=bulk]");
    if (!box) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key.toLowerCase() === "x") {
      box.checked = !box.checked;
      through(box, event.shiftKey);
    } else if (event.key === "s" && !bar().hidden) {
      bar().querySelector(".bulk-does button").focus();
    } else if (step && event.target === box) {
      const next = boxes()[boxes().indexOf(box) + step];
      if (!next) return;
      next.focus();
      if (event.shiftKey) {
        next.checked = box.checked;
        through(next, false);
      }
    } else return;
    event.preventDefault();
  });

  function working(event, on) {
    const form = event.target.closest?.(".bulk-dialog form");
    const told = form?.querySelector("[data-working]");
    if (!told || !event.detail?.ctx?.request?.action?.endsWith("/do") && event.target !== form) return;
    form.setAttribute("aria-busy", String(on));
    told.textContent = on ? told.dataset.working : "";
  }

  document.addEventListener("htmx:before:request", (event) => working(event, true));
  document.addEventListener("htmx:finally:request", (event) => working(event, false));
  document.addEventListener("htmx:after:swap", () => {
    for (const gone of document.querySelectorAll("#dialog [data-gone]")) {
      selected.delete(gone.dataset.gone);
      inView?.delete(gone.dataset.gone);
      gone.remove();
    }
    looked();
  });
  document.addEventListener("DOMContentLoaded", looked);
})();
