import { ref, watch } from "vue";
import { recall, remember } from "./memory.js";

const system = window.matchMedia("(prefers-color-scheme: dark)");

/** What the user chose; empty follows the system. */
const chosen = ref(recall("theme") ?? "");
const systemIsDark = ref(system.matches);
system.addEventListener("change", (event) => {
    systemIsDark.value = event.matches;
});

export const isDark = ref(document.documentElement.dataset.theme === "dark");

watch(
    () => [chosen.value, systemIsDark.value],
    () => {
        isDark.value = chosen.value ? chosen.value === "dark" : systemIsDark.value;
        document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
    },
    { immediate: true, flush: "sync" },
);

export function toggleTheme() {
    chosen.value = isDark.value ? "light" : "dark";
    remember("theme", chosen.value === (systemIsDark.value ? "dark" : "light") ? null : chosen.value);
}
