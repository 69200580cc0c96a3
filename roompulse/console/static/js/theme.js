// Sets dark or light before the first paint; a person's choice comes before the system's.
(() => {
  const chosen = localStorage.getItem("roompulse-theme");
  const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  document.documentElement.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : system;
})();
