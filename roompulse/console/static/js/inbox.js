// The inbox: what fires, gravest first; what has ended, and what was judged, below.
import { addressOf, go, wish } from "./address.js";
import { choice, h, keyed, redraw, say } from "./dom.js";
import { minute, money } from "./format.js";
import { spoken, t, word } from "./texts.js";

// Of a past run everything has ended, so all of it is shown there.
export function drawInbox(pane, inbox, { zone, is_live: isLive }) {
  let panel = pane.querySelector(".panel.of-inbox");
  if (!panel) {
    panel = h("section", { class: "panel of-inbox", "aria-labelledby": "inbox-title" }, h("header"), h("ol", { class: "inbox" }), h("div", { class: "empty" }));
    pane.replaceChildren(panel);
  }
  const [head, list, empty] = panel.children;
  const show = wish().show || (isLive ? "open" : "all");
  redraw(head, [inbox?.firing, inbox?.all, show, spoken()], () => [
    h("h2", { id: "inbox-title" }, t("alerts")),
    inbox ? tally(inbox.firing) : null,
    choice(t("show"), [["open", t("show_open")], ["all", t("show_all")]], show, (value) => go({ show: value })),
  ]);
  const lines = (inbox?.lines ?? []).filter((line) => show === "all" || line.status !== "resolved");
  keyed(list, lines, (line) => line.alert_id, lineOf, (element, line) => updateLine(element, line, zone));
  redraw(empty, [lines.length === 0, inbox?.all, show, spoken()], () =>
    lines.length ? [] : [h("p", { class: "nothing" }, t(inbox?.all ? "no_open_alerts" : "no_alerts"))],
  );
}

function tally(firing) {
  return h(
    "span",
    { class: "tally" },
    ["page", "review", "info"].filter((one) => firing[one]).map((one) => h("span", { class: `badge ${one}`, title: t(`severity_${one}`) }, `${firing[one]}`, h("span", { class: "unseen" }, t(`severity_${one}`)))),
  );
}

function lineOf(line) {
  return h("li", {}, h("a", { class: "line", href: addressOf({ alert: line.alert_id, pane: "right" }) },
    h("span", { class: "what" }), h("span", { class: "when" }), h("span", { class: "where" }), h("span", { class: "stake" })));
}

function updateLine(element, line, zone) {
  const link = element.firstElementChild;
  const [what, when, where, stake] = link.children;
  link.className = `line ${line.severity} ${line.status} ${line.verdict ? "judged" : ""}`;
  link.setAttribute("href", addressOf({ alert: line.alert_id, pane: "right" }));
  redraw(what, [line.severity, line.kind, spoken()], () => [
    h("span", { class: `badge ${line.severity}` }, t(`severity_${line.severity}`)),
    h("span", {}, word("kind", line.kind)),
  ]);
  say(when, minute(line.updated_ms, zone));
  const place = line.room_name || line.room_id;
  const rooms = line.rooms.length > 1 ? t("rooms_n", { n: line.rooms.length }) : null;
  redraw(where, [place, rooms, line.status, line.verdict?.verdict, spoken()], () => [
    h("span", {}, place ? h("bdi", {}, place) : null, place && rooms ? " · " : null, rooms),
    line.status === "resolved" ? h("span", { class: "tag" }, t("status_resolved")) : null,
    line.verdict ? h("span", { class: "tag" }, t(`said_${line.verdict.verdict}`)) : null,
  ]);
  say(stake, line.money_minor ? `${money(line.money_minor, line.digits)} ${line.currency ?? ""}` : "");
}
