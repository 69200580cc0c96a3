// What a person says of an alert: looked into, a false alarm, or true. The log keeps the last word.
import { ask } from "./ask.js";
import { h, mark, redraw, say } from "./dom.js";
import { clock } from "./format.js";
import { spoken, t } from "./texts.js";

const JUDGEMENTS = ["ack", "dismiss", "confirm"];
const LONGEST_NOTE = 500;

export function drawVerdict(place, card, { zone, isLive }) {
  redraw(place, [card.alert_id, isLive, spoken()], () => (isLive ? formOf(place, card.alert_id) : [h("p", { class: "small" }, t("verdict_read_only"))]));
  if (!isLive) return;
  for (const button of place.querySelectorAll("button")) mark(button, "aria-pressed", String(button.dataset.value === card.verdict?.verdict));
  const last = card.verdict;
  const note = last?.note ? ` – ${last.note}` : "";
  say(place.querySelector(".last"), last ? t("verdict_given", { said: t(`said_${last.verdict}`), time: clock(last.given_ms, zone) }) + note : "");
}

function formOf(place, alertId) {
  const note = h("textarea", { id: "verdict-note", rows: 1, maxlength: LONGEST_NOTE });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const give = async (verdict) => {
    const buttons = [...place.querySelectorAll("button")];
    for (const one of buttons) one.disabled = true;
    const why = await ask("/api/verdicts", { alert_id: alertId, verdict, note: note.value.trim() });
    for (const one of buttons) one.disabled = false;
    buttons[JUDGEMENTS.indexOf(verdict)].focus();
    say(wrong, why ? t("verdict_failed", { why }) : "");
    if (!why) note.value = "";
  };
  return [
    h("h3", { id: "verdict-title" }, t("your_verdict")),
    h("div", { class: "buttons", role: "group", "aria-labelledby": "verdict-title" },
      JUDGEMENTS.map((one) => h("button", { type: "button", "data-value": one, onclick: () => give(one) }, t(`verdict_${one}`)))),
    h("label", {}, h("span", {}, t("verdict_note")), note),
    h("p", { class: "last small", role: "status" }),
    wrong,
  ];
}
