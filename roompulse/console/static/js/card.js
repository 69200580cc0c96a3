// One alert with its evidence: what was seen, what is normal, how much each sign weighs.
import { addressOf } from "./address.js";
import { h, redraw } from "./dom.js";
import { amount, clock, count, day, decimal, share } from "./format.js";
import { roomLink } from "./frame.js";
import { spoken, t, word } from "./texts.js";
import { drawVerdict } from "./verdict.js";

export function drawCard(pane, card, { zone, is_live: isLive }) {
  let panel = pane.querySelector(".panel.of-card");
  if (!panel) {
    panel = h("section", { class: "panel of-card", "aria-labelledby": "card-title" },
      h("header"), h("div", { class: "card" }), h("div", { class: "verdict" }), h("div", { class: "card" }));
    pane.replaceChildren(panel);
  }
  const [head, what, said, why] = panel.children;
  redraw(head, [card?.kind, card?.severity, card?.status, spoken()], () => [
    h("a", { class: "back", href: addressOf({ alert: "" }), "data-value": "back" }, `← ${t("alerts")}`),
    card ? h("h2", { id: "card-title" }, word("kind", card.kind)) : h("h2", { id: "card-title" }, t("no_such_alert")),
    card ? h("span", { class: `badge ${card.severity}` }, t(`severity_${card.severity}`)) : null,
    card ? h("span", { class: "tag" }, t(`status_${card.status}`)) : null,
  ]);
  what.hidden = said.hidden = why.hidden = !card;
  if (!card) return;
  redraw(what, [{ ...card, verdict: null, evidence: null, history: null }, spoken()], () => whatOf(card, zone));
  drawVerdict(said, card, { zone, isLive });
  const opened = [...why.querySelectorAll("details[open]")].map((one) => one.dataset.value);
  redraw(why, [card.evidence, card.history, spoken()], () => whyOf(card, zone));
  for (const one of why.querySelectorAll("details")) one.open ||= opened.includes(one.dataset.value);
}

function whatOf(card, zone) {
  const most = Math.max(card.score, card.threshold) || 1;
  const meter = h("div", { class: "meter", "aria-hidden": "true" }, h("i"), h("b"));
  meter.children[0].style.width = `${(card.score / most) * 100}%`;
  meter.children[1].style.left = `calc(${(card.threshold / most) * 100}% - 1px)`;
  const fact = (name, value) => (value === null || value === undefined || value === "" ? [] : [h("dt", {}, t(name)), h("dd", {}, value)]);
  const rooms = card.rooms.length ? card.rooms : [card.room_id].filter(Boolean);
  return [
    h("p", { class: "summary" }, card.summary),
    h("div", {},
      h("h3", {}, t("score_of", { score: decimal(card.score), threshold: decimal(card.threshold) })),
      meter),
    h("dl", { class: "facts" },
      fact("at_stake", card.money_minor ? amount(card.money_minor, card.digits, card.currency ?? "") : null),
      fact(rooms.length > 1 ? "rooms" : "room", rooms.length ? rooms.slice(0, 12).flatMap((one, place) => [place ? ", " : "", roomLink(one, rooms.length === 1 ? card.room_name : one)]) : null),
      fact("host", card.host_id && h("bdi", {}, card.host_id)),
      fact("mcn", card.mcn_id && h("bdi", {}, card.mcn_id)),
      fact("product", card.product_id && h("bdi", {}, card.product_id)),
      fact("since", `${clock(card.started_ms, zone)} · ${day(card.started_ms, zone)}`),
      fact("updated", clock(card.updated_ms, zone)),
      fact("alert_id", h("code", {}, card.alert_id)),
      fact("runbook", h("code", {}, card.runbook))),
  ];
}

function whyOf(card, zone) {
  return [
    card.evidence.length ? h("div", {}, h("h3", {}, t("evidence")), h("div", { class: "signs" }, card.evidence.map(signOf))) : null,
    h("div", {}, h("h3", {}, t("history")), h("ol", { class: "history" }, [...card.history].reverse().map((told) => toldOf(told, card, zone)))),
  ];
}

function signOf(sign) {
  // most signs are shares of orders; a few are ratios, which are shown against each other
  const most = Math.max(1, sign.observed, sign.expected);
  const figure = (value) => (most > 1 ? decimal(value, 2) : share(value));
  const track = (value, kind) => {
    const fill = h("i", { class: kind });
    fill.style.width = `${(value / most) * 100}%`;
    return h("div", { class: "track" }, fill);
  };
  return h(
    "section",
    { class: "sign", "data-signal": sign.signal },
    h("p", { class: "name" }, h("span", {}, word("signal", sign.signal)), h("span", {}, t("weight_n", { n: decimal(sign.weight) }))),
    h("div", { class: "pairbar" },
      h("span", {}, t("seen")), track(sign.observed, "seen"), h("span", { class: "figure" }, figure(sign.observed)),
      h("span", {}, t("normal")), track(sign.expected, ""), h("span", { class: "figure" }, figure(sign.expected))),
    sign.orders.length
      ? h("details", { "data-value": sign.signal }, h("summary", {}, t("orders_n", { n: count(sign.orders.length) })), h("p", { class: "ids" }, sign.orders.map((one) => h("code", { class: "tag" }, one))))
      : null,
  );
}

function toldOf(told, card, zone) {
  return h("li", { class: told.severity },
    h("b", {}, t(`status_${told.status}`)), ` · ${t(`severity_${told.severity}`)} · ${clock(told.updated_ms, zone)} · ${t("score_n", { n: decimal(told.score) })}`,
    told.money_minor ? [" · ", amount(told.money_minor, card.digits, card.currency ?? "")] : null);
}
