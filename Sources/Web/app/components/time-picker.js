import { h, shallowRef } from "vue";
import { component } from "../component.js";
import { dateTime } from "../format.js";
import { icon } from "../icons.js";
import { from, rangeName, refresh, refreshSeconds, setAbsolute, setRange, span, to } from "../range.js";
import { setQuery } from "../router.js";
import { parseTime, presets, widened } from "../time.js";
import { Popover } from "./popover.js";

/** @param {string} text @returns {string} as it stands in the URL */
function canonical(text) {
    const trimmed = text.trim();
    if (trimmed.startsWith("now")) return trimmed;
    const time = parseTime(trimmed, Date.now());
    return time === null ? trimmed : String(time);
}

/** The fields for any two times. */
const Custom = component(
    "CustomRange",
    /** @type {("onDone")[]} */ (["onDone"]),
    (/** @type {{ onDone: () => void }} */ props) => {
        const show = (/** @type {string} */ text, /** @type {number} */ time) =>
            text.startsWith("now") ? text : dateTime(time);
        const start = shallowRef(show(from.value, span.value.start));
        const end = shallowRef(show(to.value, span.value.end));
        const problem = shallowRef("");

        /** @param {Event} event */
        function apply(event) {
            event.preventDefault();
            const now = Date.now();
            const [a, b] = [parseTime(start.value, now), parseTime(end.value, now)];
            if (a === null || b === null) {
                problem.value = `“${a === null ? start.value : end.value}” is no time: write now-2h, or 2026-11-22 14:30:00`;
            } else if (a >= b) {
                problem.value = "the range ends before it begins";
            } else {
                setRange(canonical(start.value), canonical(end.value));
                props.onDone();
            }
        }
        /** @param {string} name @param {import("vue").Ref<string>} value */
        const field = (name, value) =>
            h("label", { class: "field", style: { width: "100%" } }, [
                h("span", { class: "name", style: { width: "34px" } }, name),
                h("input", {
                    value: value.value,
                    spellcheck: false,
                    onInput: (/** @type {any} */ event) => {
                        value.value = event.target.value;
                    },
                }),
            ]);
        return () =>
            h("form", { class: "range-custom", onSubmit: apply }, [
                h("h3", null, "From any time to any other"),
                field("From", start),
                field("To", end),
                problem.value
                    ? h("p", { class: "bad", role: "alert" }, problem.value)
                    : h("p", { class: "faint" }, "now-2h, or 2026-11-22 14:30:00 in local time"),
                h("button", { type: "submit", class: "button primary" }, "Apply"),
            ]);
    },
);

const refreshChoices = [
    [0, "Off"],
    [5, "5 s"],
    [10, "10 s"],
    [30, "30 s"],
    [60, "1 min"],
    [300, "5 min"],
];

/** The range of time and how often to load again: the right end of the top bar on every page. */
export const TimePicker = component(
    "TimePicker",
    [],
    () => () =>
        h("div", { class: "row", role: "group", "aria-label": "Time range" }, [
            h(
                "button",
                {
                    type: "button",
                    class: "button icon quiet",
                    title: "Wider range (Z)",
                    "aria-label": "Wider range",
                    onClick: widen,
                },
                [icon("zoomOut")],
            ),
            h(Popover, {
                label: `Time range: ${rangeName.value}`,
                testid: "time-range",
                face: [icon("clock"), h("span", { class: "number" }, rangeName.value), icon("down")],
                content: (/** @type {() => void} */ close) =>
                    h("div", { class: "range-menu" }, [
                        h(
                            "div",
                            { role: "menu", class: "range-presets" },
                            presets.map(([value, name]) =>
                                h(
                                    "button",
                                    {
                                        type: "button",
                                        class: "menu-item",
                                        role: "menuitemradio",
                                        "aria-checked": String(from.value === value && to.value === "now"),
                                        onClick: () => {
                                            setRange(value, "now");
                                            close();
                                        },
                                    },
                                    name,
                                ),
                            ),
                        ),
                        h(Custom, { onDone: close }),
                    ]),
            }),
            h("div", { class: "button-group" }, [
                h(
                    "button",
                    {
                        type: "button",
                        class: "button icon",
                        title: "Refresh (R)",
                        "aria-label": "Refresh",
                        onClick: refresh,
                    },
                    [icon("refresh")],
                ),
                h(Popover, {
                    label: "Refresh by itself",
                    buttonClass: "button refresh-choice",
                    face: [
                        refreshSeconds.value
                            ? (refreshChoices.find(([value]) => value === refreshSeconds.value)?.[1] ??
                              `${refreshSeconds.value} s`)
                            : null,
                        icon("down"),
                    ],
                    content: (/** @type {() => void} */ close) =>
                        refreshChoices.map(([value, name]) =>
                            h(
                                "button",
                                {
                                    type: "button",
                                    class: "menu-item",
                                    role: "menuitemradio",
                                    "aria-checked": String(refreshSeconds.value === value),
                                    onClick: () => {
                                        setQuery({ refresh: value ? `${value}s` : null });
                                        close();
                                    },
                                },
                                name,
                            ),
                        ),
                }),
            ]),
        ]),
);

export function widen() {
    const wider = widened(span.value, Date.now());
    setAbsolute(wider.start, wider.end);
}
