import { h, shallowRef } from "vue";
import * as api from "../api.js";
import { component } from "../component.js";
import { panel } from "../components/panel.js";
import { labelTable, RelabelSteps } from "../components/relabel-steps.js";
import { empty, loading, show } from "../components/states.js";
import { ago, duration, plural } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { resource } from "../resource.js";
import { route, setQuery } from "../router.js";

/** @typedef {import("../api.js").Target} Target */
/** @typedef {import("../api.js").DroppedTarget} DroppedTarget */
/** @typedef {import("../api.js").TargetList} TargetList */

const states = /** @type {[string, string][]} */ ([
    ["", "All"],
    ["up", "Up"],
    ["down", "Down"],
    ["unknown", "Not scraped yet"],
    ["dropped", "Dropped"],
]);

/** Dropped targets shown of one job at once. */
const droppedCountMax = 200;

/** Targets: their health, where they were found, and what relabelling made of them. */
export const Targets = component("Targets", [], () => {
    setHead("Targets", { name: "Status", path: "/status" });
    const targets = resource((signal) => api.targetList({ signal }));
    const open = /** @type {import("vue").Ref<string>} */ (shallowRef(""));

    /** @param {string} key */
    function toggle(key) {
        open.value = open.value === key ? "" : key;
    }

    /** @param {Record<string, string>} labels @param {string} more */
    function fits(labels, more) {
        const text = (route.query.search ?? "").toLowerCase();
        return !text || `${more} ${JSON.stringify(labels)}`.toLowerCase().includes(text);
    }

    /** @param {Target[]} list */
    const counts = (list) =>
        Object.fromEntries(states.map(([state]) => [state, list.filter((target) => target.health === state).length]));

    /** @param {TargetList} list */
    function bar(list) {
        const known = counts(list.active);
        const numbers = /** @type {Record<string, number>} */ ({
            ...known,
            "": list.active.length,
            dropped: Object.values(list.droppedCounts).reduce((sum, count) => sum + count, 0),
        });
        return h("div", { class: "row wrap targets-bar" }, [
            h(
                "div",
                { class: "tabs", role: "tablist" },
                states
                    .filter(([state]) => state !== "unknown" || numbers.unknown > 0)
                    .map(([state, title]) =>
                        h(
                            "button",
                            {
                                key: state,
                                type: "button",
                                class: "tab",
                                role: "tab",
                                "aria-selected": String((route.query.state ?? "") === state),
                                onClick: () => setQuery({ state }),
                            },
                            [title, h("span", { class: "faint" }, ` ${numbers[state] ?? 0}`)],
                        ),
                    ),
            ),
            h("label", { class: "field grow" }, [
                icon("search"),
                h("input", {
                    type: "search",
                    placeholder: "Address, label or error",
                    "aria-label": "Search targets",
                    value: route.query.search ?? "",
                    onInput: (/** @type {InputEvent} */ event) =>
                        setQuery({ search: /** @type {HTMLInputElement} */ (event.target).value }, true),
                }),
            ]),
        ]);
    }

    /** @param {string} pool @param {Record<string, string>} discovered @param {Record<string, string> | null} labels */
    const details = (pool, discovered, labels) =>
        h("div", { class: "target-details", "data-testid": "target-details" }, [
            labels ? labelTable(labels, "Labels of its samples") : null,
            labelTable(discovered, "Discovered labels"),
            h(RelabelSteps, { pool, labels: discovered }),
        ]);

    /** @param {Target} target */
    function row(target) {
        const key = `${target.scrapePool} ${target.scrapeUrl} ${JSON.stringify(target.labels)}`;
        const isOpen = open.value === key;
        const badge = target.health === "up" ? (target.lastError ? "warn" : "ok") : target.health === "down" ? "bad" : "";
        return [
            h("tr", { key, class: { open: isOpen } }, [
                h("td", null, [
                    h(
                        "button",
                        {
                            type: "button",
                            class: "button quiet icon small",
                            "aria-expanded": String(isOpen),
                            "aria-label": `Details of ${target.scrapeUrl}`,
                            onClick: () => toggle(key),
                        },
                        [icon(isOpen ? "down" : "right")],
                    ),
                ]),
                h("td", null, [h("span", { class: ["badge", badge] }, target.health)]),
                h("td", null, [
                    h("span", { class: "mono" }, target.scrapeUrl),
                    target.lastError
                        ? h("div", { class: ["target-error", target.health === "up" ? "warn" : "bad"] }, target.lastError)
                        : null,
                ]),
                h("td", null, [
                    h(
                        "div",
                        { class: "row wrap", style: { gap: "4px" } },
                        Object.entries(target.labels ?? {})
                            .filter(([name]) => name !== "job")
                            .map(([name, value]) =>
                                h("span", { class: "chip", key: name }, [`${name}=`, h("b", null, value)]),
                            ),
                    ),
                ]),
                h("td", { class: "number" }, [
                    target.lastScrape && !target.lastScrape.startsWith("0001") ? ago(Date.parse(target.lastScrape)) : "–",
                ]),
                h("td", { class: "number" }, target.lastScrapeDuration ? duration(target.lastScrapeDuration) : "–"),
                h("td", { class: "number" }, target.scrapeInterval),
            ]),
            isOpen
                ? h("tr", { key: `${key} details`, class: "details" }, [
                      h("td", { colspan: 7 }, [details(target.scrapePool, target.discoveredLabels, target.labels)]),
                  ])
                : null,
        ];
    }

    /** @param {DroppedTarget} target @param {number} index */
    function droppedRow(target, index) {
        const key = `dropped ${target.scrapePool} ${index}`;
        const isOpen = open.value === key;
        const shown = Object.entries(target.discoveredLabels).filter(([name]) => !name.startsWith("__scrape"));
        return [
            h("tr", { key, class: { open: isOpen } }, [
                h("td", null, [
                    h(
                        "button",
                        {
                            type: "button",
                            class: "button quiet icon small",
                            "aria-expanded": String(isOpen),
                            "aria-label": `Details of ${target.discoveredLabels.__address__ ?? "the target"}`,
                            onClick: () => toggle(key),
                        },
                        [icon(isOpen ? "down" : "right")],
                    ),
                ]),
                h("td", null, [h("span", { class: "badge" }, "dropped")]),
                h("td", { class: "mono" }, target.discoveredLabels.__address__ ?? "–"),
                h("td", { colspan: 4 }, [
                    h(
                        "div",
                        { class: "row wrap", style: { gap: "4px" } },
                        shown
                            .filter(([name]) => name !== "__address__" && name !== "job")
                            .slice(0, 8)
                            .map(([name, value]) =>
                                h("span", { class: "chip", key: name }, [`${name}=`, h("b", null, value)]),
                            ),
                    ),
                ]),
            ]),
            isOpen
                ? h("tr", { key: `${key} details`, class: "details" }, [
                      h("td", { colspan: 7 }, [details(target.scrapePool, target.discoveredLabels, null)]),
                  ])
                : null,
        ];
    }

    /** @param {TargetList} list @param {string} pool */
    function poolPanel(list, pool) {
        const state = route.query.state ?? "";
        const all = list.active.filter((target) => target.scrapePool === pool);
        const active = all
            .filter((target) => (state === "" || target.health === state) && fits(target.labels, `${target.scrapeUrl} ${target.lastError}`))
            .sort((a, b) => Number(a.health === "up") - Number(b.health === "up") || (a.scrapeUrl < b.scrapeUrl ? -1 : 1));
        const dropped =
            state === "dropped"
                ? list.dropped.filter((target) => target.scrapePool === pool && fits(target.discoveredLabels, ""))
                : [];
        if (active.length === 0 && dropped.length === 0) return null;
        const droppedCount = list.droppedCounts[pool] ?? 0;
        const up = all.filter((target) => target.health === "up").length;
        return panel(
            {
                title: pool,
                hint: [
                    `${up} of ${all.length} up`,
                    droppedCount > 0 ? `, ${plural(droppedCount, "target")} dropped by relabelling` : "",
                ].join(""),
                flush: true,
                testid: `pool-${pool}`,
            },
            h("div", { class: "table-scroll" }, [
                h("table", { class: "table targets-table" }, [
                    h("thead", null, [
                        h("tr", null, [
                            h("th", { "aria-label": "Details" }),
                            ["Health", "Address", "Labels"].map((title) => h("th", { key: title }, title)),
                            ["Last scrape", "Took", "Interval"].map((title) => h("th", { key: title, class: "number" }, title)),
                        ]),
                    ]),
                    h("tbody", null, [active.map(row), dropped.slice(0, droppedCountMax).map(droppedRow)]),
                ]),
            ]),
        );
    }

    /** @param {TargetList} list */
    function content(list) {
        const pools = [
            ...new Set([...list.active.map((target) => target.scrapePool), ...Object.keys(list.droppedCounts)]),
        ].sort();
        const panels = pools.map((pool) => poolPanel(list, pool)).filter((one) => one !== null);
        return [
            bar(list),
            panels.length > 0
                ? panels
                : empty({ title: "No target fits", text: "Choose another state or search for something else.", icon: "filter" }),
        ];
    }

    return () =>
        show(targets, {
            loading: () => loading({ height: 240 }),
            content,
            empty: (list) =>
                list.active.length > 0 || Object.keys(list.droppedCounts).length > 0
                    ? null
                    : empty({
                          title: "Nothing is scraped",
                          text: "Name a prometheus.yml with jobs in apus.yaml.",
                          icon: "status",
                      }),
        });
});
