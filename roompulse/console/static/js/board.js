// The board of one scope: gross, net and trusted with the rank by each under it, and places lost.
import { go, wish } from "./address.js";
import { bar, choice, drawSpark, h, keyed, mark, redraw, say, spark } from "./dom.js";
import { amount, clock, count, money, ratio } from "./format.js";
import { roomLink } from "./frame.js";
import { spoken, t, word } from "./texts.js";

const KINDS = ["gross", "net", "trusted"];
const MOST_FLASHES = 24; // where more moves than eyes can follow, nothing flashes

export function drawBoard(pane, board, totals) {
  let panel = pane.querySelector(".panel.of-board");
  if (!panel) {
    panel = h("section", { class: "panel of-board", "aria-labelledby": "board-title" }, h("header"), h("nav", { class: "tabs" }), h("div", { class: "body" }));
    pane.replaceChildren(panel);
  }
  const [head, tabs, body] = panel.children;
  const now = wish();
  const choices = totals?.choices ?? { currencies: [], scopes: [now.scope], windows: [now.window] };
  redraw(head, [choices, now, board?.as_of_ms, board?.day, board?.rates_date, board?.window, spoken()], () => headOf(board, now, choices));
  mark(tabs, "aria-label", t("scopes"));
  redraw(tabs, [choices.scopes, now.scope, spoken()], () =>
    choices.scopes.map((scope) =>
      h("button", { type: "button", "data-value": scope, "aria-pressed": String(scope === now.scope), onclick: () => go({ scope, room: "" }) }, t(`scope_${scope}`)),
    ),
  );
  if (board?.rows.length) drawRows(body, board, now.by);
  else redraw(body, [board === null, spoken()], () => [h("p", { class: "nothing" }, t("no_rows"))]);
}

function headOf(board, now, choices) {
  const title = board ? t("board_title", { scope: t(`scope_${board.scope}`), currency: board.currency ?? t("no_currency") }) : t("boards");
  const as_of = board ? t("as_of", { time: clock(board.as_of_ms, board.zone) }) : "";
  const rates = board?.rates_date ? ` · ${t("rates_of", { day: board.rates_date })}` : "";
  const currencies = choices.currencies.filter(Boolean);
  return [
    h("h2", { id: "board-title" }, title, h("span", { class: "code" }, `${board?.day ? `${board.day} · ` : ""}${as_of}${rates}`)),
    currencies.length > 1
      ? h(
          "select",
          { "aria-label": t("currency"), id: "currency", onchange: (event) => go({ currency: event.target.value }) },
          currencies.map((one) => h("option", { value: one, selected: one === board?.currency }, one)),
        )
      : null,
    choice(t("window"), choices.windows.map((one) => [one, t(`window_${one}`)]), board?.window ?? now.window, (window) => go({ window })),
    !board || board.window === "total" ? choice(t("rank_by"), KINDS.map((kind) => [kind, t(kind)]), now.by, (by) => go({ by })) : null,
  ];
}

function drawRows(body, board, by) {
  const total = board.window === "total";
  const columns = total ? ["net", "trusted"] : ["net"];
  const shape = [total, board.scope, by, spoken(), board.code, board.is_live];
  redraw(body, shape, () => [
    h(
      "table",
      { class: "board", "aria-labelledby": "board-title" },
      h("thead", {}, h("tr", {}, heads(columns, board, total ? by : "gross"))),
      h("tbody"),
    ),
    legend(total),
  ]);
  const rank = (row) => (total ? row[`rank_${by}`] : row.rank);
  const rows = [...board.rows].sort((a, b) => rank(a) - rank(b));
  const full = Math.max(1, ...rows.map((row) => row.gross_minor));
  const moved = [];
  keyed(
    body.querySelector("tbody"),
    rows,
    (row) => row.key,
    (row) => rowOf(row, board, columns),
    (element, row) => updateRow(element, row, board, { rank: rank(row), full, columns, moved, by: total ? by : "gross" }),
  );
  flash(body, moved);
}

function heads(columns, board, by) {
  const unit = h("span", { class: "code" }, board.code ?? "");
  const head = (name, kind, more) => h("th", { scope: "col", class: kind, "aria-sort": name === by ? "descending" : null }, t(name), more ?? null);
  return [
    h("th", { scope: "col", class: "rank" }, "#"),
    head("name", "name"),
    head("gross", "money", unit),
    columns.map((name) => head(name, "money")),
    head("orders", "orders"),
    board.rows.every((row) => !row.spark) ? null : head(board.is_live ? "last_30" : "last_all", "trend"),
  ];
}

function rowOf(row, board, columns) {
  const name = board.scope === "room" ? roomLink(row.key, row.name) : h("bdi", {}, board.scope === "mode" ? word("mode", row.name) : row.name);
  const cell = (kind) =>
    h("td", { class: `money ${kind}`, "data-label": t(kind) }, amount(row[`${kind}_minor`], board.digits), h("span", { class: "at" }));
  return h(
    "tr",
    {},
    h("td", { class: "rank" }),
    h("td", { class: "name" }, h("div", { class: "who" }, name), h("div", { class: "bar", "aria-hidden": "true" })),
    cell("gross"),
    columns.map(cell),
    h("td", { class: "orders" }, h("span", { class: "n" }), h("span", { class: "at" })),
    row.spark ? h("td", { class: "trend" }, spark(row.spark)) : null,
  );
}

function updateRow(element, row, board, shown) {
  say(element.querySelector(".rank"), String(shown.rank));
  element.classList.toggle("first", shown.rank === 1);
  if (row.trusted_minor !== undefined) bar(element.querySelector(".bar"), row, shown.full);
  else bar(element.querySelector(".bar"), { ...row, trusted_minor: row.net_minor }, shown.full);
  const name = element.querySelector(".who bdi");
  if (board.scope !== "mode") say(name, row.name);
  for (const kind of ["gross", ...shown.columns]) {
    const cell = element.querySelector(`.money.${kind}`);
    const data = cell.querySelector("data");
    cell.classList.toggle("chosen", kind === shown.by);
    if (data.value !== String(row[`${kind}_minor`])) {
      data.value = row[`${kind}_minor`];
      say(data, money(row[`${kind}_minor`], board.digits));
      shown.moved.push(cell);
    }
    updateRank(cell.querySelector(".at"), row, kind);
  }
  say(element.querySelector(".orders .n"), count(row.orders));
  const more = row.momentum === undefined ? t("visits_n", { n: count(row.visits) }) : t("momentum_n", { n: ratio(row.momentum) });
  say(element.querySelector(".orders .at"), row.momentum === null ? "" : more);
  if (row.spark) drawSpark(element.querySelector(".spark"), row.spark);
}

function updateRank(place, row, kind) {
  const rank = row[`rank_${kind}`];
  const text = rank === undefined ? "" : `#${rank}`;
  const lost = kind === "trusted" ? row.places_lost : 0;
  redraw(place, [text, lost, spoken()], () => [
    document.createTextNode(text),
    lost > 0 ? h("span", { class: "lost", title: t("lost_places", { n: lost }), "data-lost": lost }, `▼${lost}`, h("span", { class: "unseen" }, t("lost_places", { n: lost }))) : null,
  ]);
}

// One layout for all of them: to ask for it cell by cell costs more than to draw the whole board.
function flash(body, cells) {
  for (const cell of cells) cell.classList.remove("fresh");
  if (!cells.length || cells.length > MOST_FLASHES) return;
  void body.offsetWidth;
  for (const cell of cells) cell.classList.add("fresh");
}

function legend(total) {
  const key = (kind, name) => h("span", { class: `key ${kind}` }, t(name));
  return h("p", { class: "legend" }, key("t", total ? "trusted" : "net"), total ? key("s", "suspected") : null, key("r", "returned"));
}

