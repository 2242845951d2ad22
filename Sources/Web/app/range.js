import { computed, ref, shallowRef, watch } from "vue";
import { dateTime } from "./format.js";
import { route, setQuery } from "./router.js";
import { describe, resolve } from "./time.js";

/** @typedef {import("./time.js").Span} Span */

export const from = computed(() => route.query.from ?? "now-1h");
export const to = computed(() => route.query.to ?? "now");

/** How often the page loads again, in seconds; 0 is never. */
export const refreshSeconds = computed(() => Number(/^(\d+)s$/.exec(route.query.refresh ?? "")?.[1] ?? 0));

/** Counts refreshes: what loads data watches the span, which changes with it. */
const refreshCount = ref(0);

/**
 * The range of time that every page shows, as of the last refresh.
 *
 * @type {import("vue").Ref<Span>}
 */
export const span = shallowRef(resolve(from.value, to.value, Date.now()));

watch(
    () => [from.value, to.value, refreshCount.value],
    () => {
        span.value = resolve(from.value, to.value, Date.now());
    },
);

export function refresh() {
    refreshCount.value += 1;
}

/** @param {string} start @param {string} end */
export function setRange(start, end) {
    setQuery({ from: start, to: end });
}

/** @param {number} start milliseconds @param {number} end */
export function setAbsolute(start, end) {
    setRange(String(Math.round(start)), String(Math.round(end)));
}

export const rangeName = computed(() => describe(from.value, to.value, dateTime));

let timer = 0;
watch(
    refreshSeconds,
    (seconds) => {
        window.clearInterval(timer);
        // A page in the background shows nobody anything.
        if (seconds > 0) timer = window.setInterval(() => document.hidden || refresh(), seconds * 1000);
    },
    { immediate: true },
);
