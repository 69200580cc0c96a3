// What has to be seen in five seconds: who leads, who loses places to suspicion, what pages.
import { addressOf } from "./address.js";
import { h, redraw } from "./dom.js";
import { amount, minute } from "./format.js";
import { at, roomLink } from "./frame.js";
import { spoken, t, word } from "./texts.js";

const SHOWN = 3;

export function drawHeadlines(headlines, inbox, { zone, is_live: isLive }) {
  const pages = inbox ? inbox.lines.filter((line) => line.severity === "page" && (line.status !== "resolved" || !isLive)) : [];
  redraw(at("headlines"), [headlines, pages, inbox?.firing, inbox?.unjudged, isLive, spoken(), location.search], () => [
    leads(headlines),
    loses(headlines),
    paging(pages, inbox, zone, isLive),
  ]);
}

function leads(found) {
  const title = h("h2", {}, t("leads"));
  if (!found) return h("article", { class: "answer leads" }, title, h("p", { class: "small" }, t("nobody_leads")));
  const { by_trusted: trusted, by_gross: gross } = found;
  const same = trusted.key === gross.key;
  return h(
    "article",
    { class: "answer leads" },
    h("h2", {}, t("leads"), h("span", {}, t("by_trusted"))),
    h("p", { class: "big" }, roomLink(trusted.key, trusted.name)),
    h("p", { class: "pair" }, h("span", { class: "small" }, t("trusted")), h("strong", {}, amount(trusted.trusted_minor, found.digits, found.code))),
    same
      ? h("p", { class: "pair small" }, h("span", {}, t("leads_all")), h("span", {}, amount(gross.gross_minor, found.digits)))
      : h("p", { class: "pair small" }, h("span", {}, t("leads_gross"), " ", roomLink(gross.key, gross.name)), h("span", {}, amount(gross.gross_minor, found.digits))),
  );
}

function loses(found) {
  const losers = found?.losers ?? [];
  const title = h("h2", {}, t("loses"), losers.length ? h("span", {}, t("rooms_n", { n: found.all_losers })) : null);
  return h(
    "article",
    { class: `answer loses ${losers.length ? "some" : ""}` },
    title,
    losers.length ? null : h("p", { class: "small" }, t("nobody_loses")),
    losers.slice(0, SHOWN).map((row) =>
      h(
        "p",
        { class: "pair", "data-loser": row.key },
        h("span", {}, roomLink(row.key, row.name)),
        h("span", { class: "moved" }, `#${row.rank_gross} → #${row.rank_trusted}`, h("span", { class: "lost" }, `▼${row.places_lost}`)),
      ),
    ),
  );
}

// Of a past run nothing calls any more: what did is shown, without urgency.
function paging(pages, inbox, zone, isLive) {
  const number = (isLive ? inbox?.firing.page : inbox?.raised.page) ?? 0;
  const open = isLive ? inbox?.unjudged.page ?? 0 : 0;
  const title = t(isLive ? "pages" : "pages_past");
  if (number === 0) {
    return h("article", { class: "answer pages" }, h("h2", {}, title), h("p", { class: "small" }, t("nothing_pages")));
  }
  return h(
    "article",
    { class: `answer pages ${open ? "some" : "judged"}` },
    h("h2", {}, title, isLive ? h("span", {}, open ? t("unjudged_n", { n: open }) : t("all_judged")) : null),
    h("p", { class: "big", "data-pages": number }, t("pages_n", { n: number })),
    pages.slice(0, SHOWN - 1).map((line) =>
      h(
        "p",
        { class: "pair" },
        h("a", { href: addressOf({ alert: line.alert_id, pane: "right" }) }, word("kind", line.kind), " · ", h("bdi", {}, line.room_name || line.room_id || "")),
        h("span", { class: "small" }, minute(line.updated_ms, zone)),
      ),
    ),
  );
}
