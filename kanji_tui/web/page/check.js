// Runs in any browser, and before the page: says why the page cannot work where it cannot.
(function () {
  var root = document.documentElement;
  /** @param {string} reason */
  function say(reason) {
    root.setAttribute("data-problem", reason);
    var status = document.getElementById("status");
    if (!status) return;
    status.textContent = reason;
    status.className = "problem";
  }
  if (location.protocol === "file:") {
    say("Browsers do not run this page from a file. Serve its folder: kanji-tui serve DIR");
  } else if (typeof WebAssembly !== "object" || !("noModule" in document.createElement("script"))) {
    say("This browser is too old for this page: it needs WebAssembly. Please use a newer one.");
  }
  // A part of the page that is missing, or that the browser does not understand: main.js has not begun.
  window.addEventListener("error", function (event) {
    if (root.hasAttribute("data-problem") || root.hasAttribute("data-begun")) return;
    if (event.target === window) say("This browser is too old for this page. Please use a newer one.");
    else if (event.target instanceof HTMLScriptElement) say("A part of this page could not be loaded. Please load it again.");
  }, true);
  document.addEventListener("DOMContentLoaded", function () {
    var reason = root.getAttribute("data-problem");
    if (reason) say(reason); // now that there is a place for it
  });
})();
