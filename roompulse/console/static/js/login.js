// The way in, in the language of the browser; says so when the token was wrong.
import { loadTexts } from "./texts.js";

await loadTexts();
document.getElementById("wrong").hidden = !location.search.includes("wrong");
