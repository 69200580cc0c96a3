// What the page shows stands in its address, so that it can be sent to a colleague and gone back from.
const USUAL = { scope: "room", window: "total", currency: "", by: "gross", room: "", alert: "", show: "", pane: "left" };
const ASKED = ["scope", "window", "currency", "room", "alert"];
let changed = () => {};

export function wish() {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, query.get(name) || usual]));
}

// What the server is asked for; the rest is decided in the page.
export function question() {
  const now = wish();
  return new URLSearchParams(ASKED.filter((name) => now[name]).map((name) => [name, now[name]])).toString();
}

export function addressOf(change) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...wish(), ...change })) {
    if (value && value !== USUAL[name]) query.set(name, value);
  }
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

export function go(change) {
  history.pushState(null, "", addressOf(change));
  changed();
}

export function onMove(callback) {
  changed = callback;
  addEventListener("popstate", callback);
}

// Links stay links (open in a new tab, copy); a plain click moves within the page.
export function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/?'], a[href='/']");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    changed();
  });
}
