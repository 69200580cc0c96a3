// One room: money three ways, its minutes, its funnel, what came back, how long people stay.
import { addressOf, wish } from "./address.js";
import { bar, h, redraw } from "./dom.js";
import { chart, forget } from "./charts.js";
import { amount, clock, count, duration, share } from "./format.js";
import { spoken, t, word } from "./texts.js";

const FIGURES = ["online", "peak_online", "visits", "viewers", "buyers", "orders", "units", "comments", "follows"];
const CHART_HEIGHT = 190;

export function drawRoom(pane, room) {
  let view = pane.querySelector(".room");
  if (!view) {
    view = h("div", { class: "room" }, h("section", { class: "panel top-part" }), h("section", { class: "panel curves" }), h("div", { class: "columns" }));
    pane.replaceChildren(view);
    forget();
  }
  const [top, curves, columns] = view.children;
  redraw(top, [room?.summary, wish().by, spoken()], () => topOf(room));
  columns.hidden = !room;
  curves.hidden = !room?.curve.minute_ms.length; // axes of nothing would say that nothing was sold
  if (!room) return;
  if (!curves.hidden) drawCurves(curves, room);
  redraw(columns, [room.funnel, room.after_sales, room.retention, room.summary.currency, spoken()], () => [
    funnelOf(room.funnel),
    staysOf(room.retention),
    afterSalesOf(room),
  ]);
}

function topOf(room) {
  const back = h("a", { class: "back", href: addressOf({ room: "" }), "data-value": "back" }, `← ${t("boards")}`);
  if (!room) return [h("header", {}, back, h("h2", {}, t("no_such_room")))];
  const one = room.summary;
  const whole = h("div", { class: "bar", "aria-hidden": "true" });
  bar(whole, one, one.gross_minor);
  const state = one.closed_ms === null ? t("room_open", { time: clock(one.opened_ms, room.zone) }) : t("room_closed", { time: clock(one.closed_ms, room.zone) });
  const pair = (name, value) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, value));
  return [
    h("header", {},
      back,
      h("div", { class: "title" },
        h("h2", {}, h("bdi", {}, one.host_name || one.host_id || one.room_id)),
        h("span", { class: "small" }, [one.room_id, one.mcn_id, one.mode && word("mode", one.mode), one.category].filter(Boolean).join(" · "))),
      h("span", { class: "tag" }, state)),
    h("dl", { class: "three" }, ["gross", "net", "trusted"].map((kind) =>
      h("div", {}, h("dt", {}, t(kind)), h("dd", { "data-money": kind }, amount(one[`${kind}_minor`], room.digits, one.currency ?? ""))))),
    h("div", { class: "whole" }, whole,
      one.suspected_orders ? h("p", { class: "small" }, t("suspected_of", { n: count(one.suspected_orders), all: count(one.orders) }), ` (${share(one.orders ? one.suspected_orders / one.orders : null)}) · `, amount(one.suspected_minor, room.digits, one.currency ?? "")) : null),
    h("dl", { class: "figures" },
      FIGURES.map((name) => pair(name, count(one[name]))),
      pair("conversion", share(one.viewers ? one.buyers / one.viewers : null)),
      pair("average_order", amount(one.orders ? Math.round(one.gross_minor / one.orders) : null, room.digits)),
      pair("avg_watch", duration(one.avg_watch_ms))),
  ];
}

function drawCurves(panel, room) {
  if (!panel.querySelector(".plot")) {
    panel.append(
      h("div", { class: "chart" }, h("h3", { class: "of-money" }), h("div", { class: "plot money" })),
      h("div", { class: "chart" }, h("h3", { class: "of-people" }), h("div", { class: "plot people" })),
    );
  }
  const { curve, zone, digits, summary } = room;
  redraw(panel.querySelector(".of-money"), [summary.currency, room.marks.length > 0, spoken()], () => [
    h("span", {}, t("curve_money", { currency: summary.currency ?? "" })),
    room.marks.length ? h("span", { class: "moved" }, t("product_marks")) : null,
  ]);
  redraw(panel.querySelector(".of-people"), [spoken()], () => [h("span", {}, t("curve_people"))]);
  const shape = [summary.room_id, spoken()];
  const money = [curve.minute_ms, curve.gross_minor, curve.refunded_minor];
  const people = [curve.minute_ms, curve.online, curve.visits];
  chart(panel.querySelector(".plot.money"), shape, money, room.marks, {
    height: CHART_HEIGHT, zone, digits,
    series: [{ name: "gross", tone: "--trusted", fill: true }, { name: "returned", tone: "--suspect", dash: [5, 3] }],
  });
  chart(panel.querySelector(".plot.people"), shape, people, [], {
    height: CHART_HEIGHT - 40, zone,
    series: [{ name: "online", tone: "--trusted", fill: true }, { name: "visits", tone: "--quiet", dash: [2, 3] }],
  });
}

function track(part) {
  const fill = h("i");
  fill.style.width = `${Math.min(1, part) * 100}%`;
  return h("span", { class: "track", "aria-hidden": "true" }, fill);
}

function funnelOf(steps) {
  const known = steps.filter((one) => one.count > 0);
  const most = Math.max(1, ...known.map((one) => one.count));
  // the steps span orders of magnitude, so their bars do, too
  const length = (n) => Math.log10(n + 1) / Math.log10(most + 1);
  return h("section", { class: "panel" },
    h("header", {}, h("h2", {}, t("funnel")), h("span", { class: "small" }, t("funnel_scale"))),
    known.length
      ? h("ol", { class: "funnel" }, known.map((one) =>
          h("li", {}, h("span", {}, t(`step_${one.step}`)), track(length(one.count)), h("span", { class: "n" }, count(one.count)),
            h("span", { class: "share", title: one.of ? t("share_of", { step: t(`step_${one.of}`) }) : null }, one.share === null ? "" : share(one.share)))))
      : h("p", { class: "nothing" }, t("no_data")));
}

function staysOf(retention) {
  return h("section", { class: "panel stays" },
    h("header", {}, h("h2", {}, t("retention"))),
    retention.curve.length
      ? h("ol", { class: "funnel" }, retention.curve.map((one) =>
          h("li", {}, h("span", {}, duration(one.seconds * 1000)), track(one.share), h("span", { class: "n" }, share(one.share)))))
      : h("p", { class: "nothing" }, t("no_data")),
    h("dl", { class: "figures" },
      [["avg_watch", duration(retention.avg_watch_ms)], ["median_watch", duration(retention.median_watch_ms)], ["follow_rate", share(retention.follow_rate)]]
        .map(([name, value]) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, value)))));
}

function afterSalesOf(room) {
  const { summary: one, after_sales: rows } = room;
  const line = (name, value) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, value));
  const whole = rows.find((row) => row.party === null);
  return h("section", { class: "panel after-sales" },
    h("header", {}, h("h2", {}, t("after_sales"))),
    h("dl", { class: "figures" },
      line("refunds", count(one.refunds)), line("refunded", amount(one.refunded_minor, room.digits)),
      line("refund_rate", share(one.gross_minor ? one.refunded_minor / one.gross_minor : null)),
      line("quality_refunds", count(one.quality_refunds)), line("complaints", count(one.complaints_opened)),
      line("replied", count(one.complaints_replied)), line("resolved", count(one.complaints_resolved)),
      line("first_reply", duration(one.first_reply_median_ms)), line("resolution", duration(one.resolution_median_ms))),
    whole ? h("p", { class: "reasons" }, Object.entries(whole.refunds_by_reason).map(([reason, n]) => h("span", { class: "tag" }, `${word("reason", reason)} ${count(n)}`)),
      Object.entries(whole.complaints_by_kind).map(([kind, n]) => h("span", { class: "tag" }, `${t("complaint")}: ${word("complaint", kind)} ${count(n)}`))) : null,
    rows.length ? h("div", { class: "scroll" }, partiesOf(rows, room.digits)) : null);
}

function partiesOf(rows, digits) {
  return h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, ["party", "complaints", "refunds", "refunded", "in_time"].map((name) => h("th", { scope: "col" }, t(name))))),
    h("tbody", {}, rows.map((row) => h("tr", { class: row.party === null ? "whole" : "" },
      h("td", {}, row.party === null ? t("everybody") : word("party", row.party)), h("td", {}, count(row.complaints)), h("td", {}, count(row.refunds)),
      h("td", {}, amount(row.refunded_minor, digits)), h("td", {}, share(row.first_reply_attainment, 0))))));
}
