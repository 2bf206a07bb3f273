// The backfill that is opened on the first page: it comes into view, its reason is ready to be typed, and what opened it
// has the focus again when it is closed.
"use strict";
(() => {
  let opener = null;
  const mend = () => document.getElementById("mend");

  document.addEventListener("click", (event) => {
    const step = event.target.closest("[hx-target='#mend']");
    if (step) opener = step.closest("li")?.id ?? null;
    if (!event.target.closest("[data-unmend]")) return;
    mend().replaceChildren();
    const line = opener && document.getElementById(opener);
    (line?.querySelector("[data-step]") || document.getElementById("q")).focus();
  });
  document.addEventListener("htmx:error", (event) => {
    const load = event.target.closest?.("#load");
    if (!load?.querySelector("[aria-busy]")) return;
    const said = document.createElement("p");
    said.className = "notice bad";
    said.setAttribute("role", "alert");
    said.textContent = "The server does not answer, so what is to come is not known. It is asked again every two minutes.";
    load.replaceChildren(said);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail?.ctx?.target;
    if (target === mend()) target.scrollIntoView({ block: "start" });
    if (target?.id === "backfill" && mend().contains(target)) {
      document.getElementById("backfill-reason")?.focus({ preventScroll: true });
    }
  });
})();
