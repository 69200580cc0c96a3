// The words of the page, in the language that a person chose: one table for both.
export const LANGUAGES = [["en", "EN", "English"], ["zh", "中", "中文"]];

let table = {};
let language = localStorage.getItem("roompulse-language");
if (language !== "en" && language !== "zh") language = navigator.language.startsWith("zh") ? "zh" : "en";

export async function loadTexts() {
  table = await (await fetch("/static/texts.json", { credentials: "same-origin" })).json();
  show();
}

export const spoken = () => language;
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

export function speak(wanted) {
  language = wanted;
  localStorage.setItem("roompulse-language", wanted);
  show();
}

// The text of a key; `{name}` in it is replaced by the value of that name. English has a form for one.
export function t(key, values = {}) {
  const texts = table[key];
  const text = language === "en" && String(values.n) === "1" ? texts?.one ?? texts?.en : texts?.[language];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The text of a word that the log uses; the word itself where the table has none.
export function word(prefix, name) {
  return table[`${prefix}_${name}`]?.[language] ?? name.replaceAll("_", " ");
}

function show() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
}
