// One <dialog> for the page: what is put into it opens it, [data-close] or the server's event `closeDialog` closes it.
"use strict";
(() => {
  let opener = null, fading = null;
  const dialog = () => document.getElementById("dialog");

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[hx-target='#dialog']");
    if (button) opener = button;
    if (event.target.closest("[data-close]")) dialog()?.close();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const one = dialog();
    if (one && event.detail?.ctx?.target === one && one.childElementCount) {
      if (!one.open) one.showModal();
      (one.querySelector("[autofocus]") || one.querySelector("input, select, textarea, button:not(.close)"))?.focus();
    }
  });
  document.addEventListener("closeDialog", () => dialog()?.close());
  function say(text) {
    const said = document.getElementById("said");
    said.textContent = text;
    clearTimeout(fading);
    fading = setTimeout(() => said.replaceChildren(), 8000);
  }
  document.addEventListener("say", (event) => {
    const text = event.detail.value || "";
    if (event.detail.there) sessionStorage.setItem("said", text); // the page is about to be another one
    else say(text);
  });
  document.addEventListener("DOMContentLoaded", () => {
    const text = sessionStorage.getItem("said");
    sessionStorage.removeItem("said");
    if (text) say(text);
  });
  document.addEventListener("close", (event) => {
    if (event.target !== dialog()) return;
    event.target.replaceChildren();
    const elsewhere = document.activeElement && document.activeElement !== document.body; // a key was quicker than this
    if (opener?.isConnected && !elsewhere) opener.focus();
    opener = null;
  }, true); // it does not bubble, and a page of somebody else gets its dialog with the component
})();
