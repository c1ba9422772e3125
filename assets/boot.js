// Runs before anything is drawn: sets the theme, asks for the other views' styles, lets Dash's callbacks wait for the modules, and watches Dash's calls.
"use strict";
(() => {
  const theme = (() => {
    try {
      return localStorage.getItem("journeymap-theme");
    } catch {
      return null;
    }
  })();
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";

  // Styles of what is not on the first picture: links that a script makes hold up neither it nor other scripts.
  for (const name of ["journey/journey", "operations/operations", "wall/drawer", "wall/display"]) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: `/assets/${name}.css` });
    document.head.append(link);
  }

  // Dash may run a callback before the modules have loaded: the call then waits for its handler.
  const handlers = {};
  const waiting = {};
  const route = (name) => (...args) =>
    handlers[name]
      ? handlers[name](...args)
      : new Promise((resolve) => (waiting[name] ??= []).push(() => resolve(handlers[name](...args))));
  const names = ["ask", "receive", "filter", "journey", "undone", "operations", "table"];
  window.dash_clientside = Object.assign(window.dash_clientside ?? {}, {
    journeymap: Object.fromEntries(names.map((name) => [name, route(name)])),
  });
  window.journeymap = {
    handle(name, handler) {
      handlers[name] = handler;
      for (const go of waiting[name] ?? []) go();
      delete waiting[name];
    },
  };

  // Dash's charts take whatever Plotly is there, else they load it from this address when the first one is shown. Its renderer sets
  // the whole library; bars and marks need a third of that.
  Object.defineProperty(window, "_dashPlotlyJSURL", { get: () => "/assets/vendor/plotly-cartesian-4.1.1.min.js", set: () => {} });

  // Dash tells nobody when an answer was empty (204) or when the server did not answer at all; in the second case it even
  // leaves the clock switched off for good. Both can be seen only here.
  const plain = window.fetch.bind(window);
  window.fetch = (resource, options) => {
    const ours = String(resource?.url ?? resource).includes("_dash-update-component");
    const output = ours && typeof options?.body === "string" ? /"output":"([^"]+)"/.exec(options.body)?.[1] : undefined;
    if (!output) return plain(resource, options);
    const sent = Date.now();
    const tell = (phase, status) =>
      window.dispatchEvent(
        new CustomEvent("journeymap:call", { detail: { output, phase, status, sent, received: Date.now() } }),
      );
    tell("sent", 0);
    return plain(resource, options).then(
      (response) => {
        tell(response.ok ? "answered" : "failed", response.status);
        return response;
      },
      (error) => {
        tell("failed", 0);
        throw error;
      },
    );
  };
})();
