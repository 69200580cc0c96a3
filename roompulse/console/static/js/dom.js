// Makes and updates elements. Texts go in as texts: nothing of the log is ever read as markup.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return element;
}

export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Writes only what differs, so that what is selected or read aloud stays as it is.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element, name, value) {
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// Keeps one child for each item: a row that stays keeps its focus, whatever moves around it.
export function keyed(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = known.get(key);
    if (child) known.delete(key);
    else {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of known.values()) child.remove();
}

export function choice(label, options, chosen, choose) {
  return h(
    "div",
    { class: "choice", role: "group", "aria-label": label },
    options.map(([value, text, title]) =>
      h(
        "button",
        { type: "button", title, "data-value": value, "aria-pressed": String(value === chosen), onclick: () => choose(value) },
        text,
      ),
    ),
  );
}

// Draws again only when what it is made from has changed; the focus finds its element again.
export function redraw(element, from, draw) {
  const text = JSON.stringify(from);
  if (element.dataset.from === text) return;
  const had = element.contains(document.activeElement) ? document.activeElement : null;
  const place = had?.dataset.value ?? had?.id ?? had?.getAttribute("href");
  element.dataset.from = text;
  element.replaceChildren(...draw().filter(Boolean));
  if (!place) return;
  for (const one of element.querySelectorAll("button, a, input, select, textarea, summary")) {
    if ((one.dataset.value ?? one.id ?? one.getAttribute("href")) === place) {
      one.focus({ preventScroll: true });
      return;
    }
  }
}

// Money as a bar: trusted, taken off by suspicion, returned; `full` is the money of a whole bar.
export function bar(element, row, full) {
  const share = (minor) => `${full > 0 ? Math.max(0, (minor / full) * 100) : 0}%`;
  if (!element.children.length) {
    element.append(h("i", { class: "t" }), h("i", { class: "s" }), h("i", { class: "r" }));
  }
  const [trusted, suspect, returned] = element.children;
  trusted.style.width = share(row.trusted_minor);
  suspect.style.width = share(row.net_minor - row.trusted_minor);
  returned.style.width = share(row.gross_minor - row.net_minor);
}

export function spark(values) {
  const drawing = svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" });
  drawSpark(drawing, values);
  return drawing;
}

export function drawSpark(drawing, values) {
  const most = Math.max(1, ...values);
  const step = values.length > 1 ? 100 / (values.length - 1) : 100;
  const points = values.map((value, at) => `${(at * step).toFixed(1)} ${(28 - (value / most) * 26).toFixed(1)}`);
  const line = points.length ? `M${points.join("L")}` : "";
  const area = points.length ? `${line}L100 30L0 30Z` : "";
  if (drawing.dataset.line === line) return;
  drawing.dataset.line = line;
  drawing.replaceChildren(svg("path", { class: "area", d: area }), svg("path", { d: line }));
}
