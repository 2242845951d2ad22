// Runs before the first paint, so that the page does not flash in the wrong colours.
(() => {
    let chosen = null;
    try {
        chosen = window.localStorage.getItem("apus.theme");
    } catch {
        // A browser without storage follows the system.
    }
    const dark = chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
