// Says that what is shown of a backfill is not current, where the server of the page does not answer; its next answer
// takes that away, since it replaces all of it. What somebody has opened stays open over an answer.
"use strict";
(() => {
  function unanswered(event) {
    const status = event.detail?.ctx?.response?.status;
    if (event.type === "htmx:response:error" && status < 500 && status !== 429) return;
    const notice = event.target.closest?.("[data-follows]")?.querySelector("[data-not-current]");
    if (!notice?.hidden) return;
    const at = notice.querySelector("[data-since]"), now = new Date();
    at.dateTime = now.toISOString();
    at.textContent = now.toLocaleTimeString([], { timeStyle: "medium" });
    notice.hidden = false;
  }

  const kept = () => [...document.querySelectorAll("#backfill details[data-kept]")];
  let open = [];
  document.addEventListener("htmx:before:swap", () => {
    open = kept().filter((one) => one.open).map((one) => one.dataset.kept);
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const one of kept()) if (open.includes(one.dataset.kept)) one.open = true;
  });
  document.addEventListener("htmx:error", unanswered);
  document.addEventListener("htmx:response:error", unanswered);
})();
