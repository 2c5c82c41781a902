// Runs in any browser, and before the page: says why the page cannot work where it cannot.
(function () {
  var reason = "";
  if (location.protocol === "file:") {
    reason = "Browsers do not run this page from a file. Serve its folder: kanji-tui serve DIR";
  } else if (typeof WebAssembly !== "object" || !("noModule" in document.createElement("script"))) {
    reason = "This browser is too old for this page: it needs WebAssembly. Please use a newer one.";
  }
  if (reason) document.documentElement.setAttribute("data-problem", reason);
})();
