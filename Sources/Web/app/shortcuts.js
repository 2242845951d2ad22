import { ref } from "vue";
import { widen } from "./components/time-picker.js";
import { refresh } from "./range.js";
import { go, href } from "./router.js";
import { toggleTheme } from "./theme.js";

export const helpIsOpen = ref(false);

/** After `g`: where to. */
export const places = /** @type {[string, string, string][]} */ ([
    ["s", "/services", "Services"],
    ["l", "/logs", "Logs"],
    ["t", "/traces", "Traces"],
    ["p", "/profiles", "Profiles"],
    ["a", "/alerts", "Alerts"],
    ["e", "/explore", "Explore"],
    ["u", "/status", "Status"],
]);

/**
 * Everything else.
 *
 * @type {[string, string, () => void][]}
 */
export const actions = [
    ["/", "Focus the search or the query", focusSearch],
    ["r", "Refresh", refresh],
    ["z", "Twice as wide a range of time", widen],
    ["d", "Light or dark", toggleTheme],
    [
        "?",
        "This help",
        () => {
            helpIsOpen.value = !helpIsOpen.value;
        },
    ],
];

function focusSearch() {
    const target = /** @type {HTMLElement | null} */ (
        document.querySelector("[data-search] .cm-content, [data-search] input, input[data-search]")
    );
    target?.focus();
}

let isAfterG = false;
let forget = 0;

/** @param {KeyboardEvent} event */
function key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        target.isContentEditable ||
        /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
    )
        return;
    if (isAfterG) {
        isAfterG = false;
        const place = places.find(([letter]) => letter === event.key);
        if (place) {
            event.preventDefault();
            go(href(place[1]));
        }
        return;
    }
    if (event.key === "g") {
        isAfterG = true;
        window.clearTimeout(forget);
        forget = window.setTimeout(() => {
            isAfterG = false;
        }, 1500);
        return;
    }
    const action = actions.find(([letter]) => letter === event.key);
    if (!action) return;
    event.preventDefault();
    action[2]();
}

export function listen() {
    document.addEventListener("keydown", key);
}
