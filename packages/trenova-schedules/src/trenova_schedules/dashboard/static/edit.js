// The form of a schedule: says to each field whether it is right, fills in what a fix says, leads to what is wrong, and
// lets nobody leave with something typed that is not saved, unless they say so.
"use strict";
(() => {
  let typed = false;
  const field = (name) => document.getElementById(`f-${name}`);

  function mark() {
    for (const said of document.querySelectorAll(".told[data-of]")) {
      const input = document.getElementById(said.dataset.of);
      if (!input) continue;
      if ("bad" in said.dataset) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  function fix(button) {
    const changes = Object.entries(JSON.parse(button.dataset.changes)).filter(([name]) => field(name));
    for (const [name, value] of changes) {
      const input = field(name);
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (!changes.length) return;
    field(changes[0][0]).focus();
    const said = changes.map(([name, value]) => `${document.querySelector(`label[for="f-${name}"]`).textContent.trim()} is ${value} now.`);
    document.body.dispatchEvent(new CustomEvent("say", { bubbles: true, detail: { value: said.join(" ") } }));
  }

  function lead() {
    const told = document.querySelector("[data-focus]");
    told?.focus();
    if (told && document.activeElement === told) told.removeAttribute("data-focus");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.fix");
    if (button) fix(button);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    mark();
    const ctx = event.detail?.ctx;
    if (ctx?.response?.status === 422) document.querySelector(".schedule-form [aria-invalid='true']")?.focus();
    lead();
  });
  document.addEventListener("input", (event) => {
    if (event.target.closest(".schedule-form")) typed = true;
  });
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail?.ctx?.response?.headers.get("HX-Redirect")) typed = false; // it is saved
  });
  window.addEventListener("beforeunload", (event) => {
    if (typed) event.preventDefault();
  });
  document.addEventListener("close", lead, true); // nothing outside of a dialog takes the focus while it is open
})();
