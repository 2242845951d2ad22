import { h } from "vue";

/** Outlines on a 16 × 16 grid. */
const paths = /** @type {Record<string, string>} */ ({
    services:
        "M2.5 3.5h4.5v4h-4.5zM9 3.5h4.5v4H9zM5.75 10.5h4.5v3h-4.5zM4.75 7.5v1.5h6.5V7.5M8 9v1.5",
    logs: "M2.5 3.5h11M2.5 6.5h8M2.5 9.5h11M2.5 12.5h6",
    traces: "M2 3.5h6M5 8h6M9 12.5h5",
    profiles:
        "M8 1.8c.4 2.4 3.9 4 3.9 7.6A3.9 3.9 0 0 1 8 13.6a3.9 3.9 0 0 1-3.9-4.2c0-1.5.7-2.6 1.6-3.5.1 1 .5 1.6 1.1 2C6.7 5.6 7 3.4 8 1.8z",
    alerts: "M8 2a3.8 3.8 0 0 0-3.8 3.8c0 3.6-1.5 4.7-1.5 5.4h10.6c0-.7-1.5-1.8-1.5-5.4A3.8 3.8 0 0 0 8 2zM6.6 13.3a1.5 1.5 0 0 0 2.8 0",
    explore:
        "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM10.7 5.3 9.2 9.2 5.3 10.7 6.8 6.8z",
    status: "M2 8h2.8l1.6-4.2 3 8.4L11 8h3",
    clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.4",
    refresh:
        "M13.3 7A5.4 5.4 0 0 0 3.6 4.9L2.5 6.2M2.5 2.9v3.3h3.3M2.7 9a5.4 5.4 0 0 0 9.7 2.1l1.1-1.3M13.5 13.1V9.8h-3.3",
    down: "m4 6 4 4 4-4",
    right: "m6 4 4 4-4 4",
    left: "m10 4-4 4 4 4",
    up: "m4 10 4-4 4 4",
    search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6 14 14",
    close: "m4 4 8 8M12 4l-8 8",
    check: "m3 8.5 3.2 3.2L13 5",
    sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
    moon: "M13.3 9.6A5.6 5.6 0 0 1 6.4 2.7a5.6 5.6 0 1 0 6.9 6.9z",
    help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.3 6.3A1.7 1.7 0 0 1 8 4.9c1 0 1.7.6 1.7 1.5C9.7 7.8 8 7.7 8 9.1M8 11.1v.1",
    warning: "M8 2.3 14.2 13H1.8zM8 6.3v3.2M8 11.3v.1",
    inbox: "M2 9.5 4 3.5h8l2 6v3.5H2zM2 9.5h3.5l.8 1.5h3.4l.8-1.5H14",
    play: "M5 3.3v9.4L12.5 8z",
    zoomOut: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6 14 14M5 7h4",
    reset: "M3 3v3.5h3.5M3.3 6.3A5.2 5.2 0 1 1 3 9.5",
    lock: "M4 7.2h8v6.3H4zM5.5 7.2V5a2.5 2.5 0 0 1 5 0v2.2",
    exit: "M6.5 2.5h-3.5v11h3.5M10 5l3 3-3 3M13 8H6.5",
    out: "M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3 7.5 8.5",
    copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
    filter: "M2.5 3.5h11L9.5 8.5v4l-3 1.3v-5.3z",
    minus: "M3 8h10",
    plus: "M8 3v10M3 8h10",
    live: "M8 9.3a1.3 1.3 0 1 0 0-2.6 1.3 1.3 0 0 0 0 2.6zM4.8 11.2a4.5 4.5 0 0 1 0-6.4M11.2 4.8a4.5 4.5 0 0 1 0 6.4M2.7 13.3a7.5 7.5 0 0 1 0-10.6M13.3 2.7a7.5 7.5 0 0 1 0 10.6",
    path: "M3.5 4.5h3a2 2 0 0 1 2 2v3a2 2 0 0 0 2 2h2M10.5 9.5l2 2-2 2",
});

/** @param {string} name @param {Record<string, unknown>} [props] */
export function icon(name, props = {}) {
    return h(
        "svg",
        {
            viewBox: "0 0 16 16",
            width: 16,
            height: 16,
            fill: "none",
            stroke: "currentColor",
            "stroke-width": 1.5,
            "stroke-linecap": "round",
            "stroke-linejoin": "round",
            "aria-hidden": "true",
            focusable: "false",
            ...props,
        },
        [h("path", { d: paths[name] ?? "" })],
    );
}

/** The bird. */
export function logo() {
    return h("svg", { viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" }, [
        h("rect", { width: 32, height: 32, rx: 8, fill: "#4c5bd4" }),
        h("path", {
            d: "M4.5 9.5c5.2.2 8.6 1.9 10.7 5.2.3.5 1.1.6 1.5.1 2.3-3 5.8-4.9 10.8-5.3-3.7 1.7-6.3 4.2-7.8 7.7l-1.6 6.3-2.1-2.9-3 2.2 1-5.6C12.3 13.5 9.2 11.2 4.5 9.5z",
            fill: "#fff",
        }),
    ]);
}
