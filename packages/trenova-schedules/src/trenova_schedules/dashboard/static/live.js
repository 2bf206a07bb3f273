// Listens to what happens to schedules. Parts of a page ask again on `schedules:changed from:body`; on the page of one
// schedule (body[data-watch]) only what happens to that one counts. What cannot be kept current is marked as stale.
"use strict";
(() => {
  const PATIENCE = 6000; // ms between a stream's end and its next, which is no interruption
  const PAUSE = 700; // ms in which several events are one
  let since = null, late = null, waiting = null;

  function tell(state, text) {
    const element = document.getElementById("live");
    if (element.dataset.state === state) return;
    element.dataset.state = state;
    element.textContent = text;
    document.body.toggleAttribute("data-stale", state === "stale");
  }

  function changed() {
    clearTimeout(waiting);
    waiting = setTimeout(() => document.body.dispatchEvent(new CustomEvent("schedules:changed")), PAUSE);
  }

  function heard(event) {
    const watched = document.body.dataset.watch;
    if (watched && event.type !== "reset") {
      try {
        if (JSON.parse(event.data).scheduleId !== watched) return;
      } catch {
        return;
      }
    }
    changed();
  }

  function opened() {
    clearTimeout(late);
    late = null;
    if (since) changed();
    since = null;
    tell("live", "Live");
  }

  function interrupted() {
    if (late) return;
    late = setTimeout(() => {
      since = since || new Date();
      const at = since.toLocaleTimeString([], { timeStyle: "short" });
      tell("stale", `Not current since ${at}; trying again`);
    }, PATIENCE);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const address = document.body.dataset.events;
    if (!address || !document.querySelector(".me")) return;
    const listen = () => {
      const source = new EventSource(address);
      source.onopen = opened;
      source.onerror = () => {
        interrupted();
        if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000); // refused, as by a server that restarts
      };
      for (const kind of ["created", "changed", "ran", "deleted", "reset"]) source.addEventListener(kind, heard);
    };
    listen();
  });
})();
