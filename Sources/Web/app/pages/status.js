import { h } from "vue";
import * as api from "../api.js";
import { component } from "../component.js";
import { panel } from "../components/panel.js";
import { empty, loading, show } from "../components/states.js";
import { ago, bytes, dateTime, duration, plural } from "../format.js";
import { setHead } from "../head.js";
import { link } from "../link.js";
import { resource } from "../resource.js";
import { href } from "../router.js";

const scrape = `# prometheus.yml, named in apus.yaml
scrape_configs:
  - job_name: myapp
    static_configs: [{targets: ['127.0.0.1:8080']}]`;

const titles = /** @type {Record<string, string>} */ ({
    metrics: "Metrics",
    logs: "Logs",
    spans: "Traces",
    profiles: "Profiles",
});
const rowNames = /** @type {Record<string, string>} */ ({
    metrics: "samples",
    logs: "lines",
    spans: "spans",
    profiles: "stacks",
});

/** How Apus itself is: its version, what it stores, what it scrapes. */
export const Status = component("Status", [], () => {
    setHead("Status");
    const status = resource((signal) => api.status({ signal }));
    const targets = resource((signal) => api.targets({ signal }));

    /** @param {any} value */
    function store(value) {
        const signals = Object.entries(value.store?.signals ?? {});
        const disk = signals.reduce((sum, [, figures]) => sum + (figures.diskBytes ?? 0), 0);
        const tile = (/** @type {string} */ name, /** @type {string} */ text, /** @type {string} */ note) =>
            h("div", { class: "tile" }, [
                h("span", { class: "tile-name" }, name),
                h("span", { class: "tile-value" }, text),
                h("span", { class: "tile-note" }, note),
            ]);
        return [
            h("div", { class: "tiles" }, [
                tile("Version", value.version ?? "–", "Apus"),
                tile(
                    "Up for",
                    duration(value.uptimeSeconds ?? NaN),
                    value.startedAt ? `since ${dateTime(Date.parse(value.startedAt))}` : "",
                ),
                tile("On disk", bytes(disk), "compressed parts"),
                tile("Write-ahead log", bytes(value.store?.walBytes ?? NaN), "not yet in parts"),
            ]),
            panel(
                {
                    title: "Store",
                    hint: value.store?.quarantined
                        ? `${plural(value.store.quarantined, "part")} set aside as damaged`
                        : null,
                    flush: true,
                },
                h("div", { class: "table-scroll" }, [
                    h("table", { class: "table", "data-testid": "store" }, [
                        h("thead", null, [
                            h(
                                "tr",
                                null,
                                [
                                    "Signal",
                                    "Streams",
                                    "In memory",
                                    "In parts",
                                    "Parts",
                                    "On disk",
                                    "Bytes a row",
                                    "Oldest",
                                    "Newest",
                                ].map((title, index) => h("th", { class: index > 0 ? "number" : "" }, title)),
                            ),
                        ]),
                        h(
                            "tbody",
                            null,
                            signals.map(([name, figures]) =>
                                h("tr", { key: name }, [
                                    h("td", null, [
                                        h("b", null, titles[name] ?? name),
                                        h("span", { class: "faint" }, `  ${rowNames[name] ?? "rows"}`),
                                    ]),
                                    ...[figures.streams, figures.memtableRows, figures.partRows, figures.parts].map(
                                        (count) => h("td", { class: "number" }, (count ?? 0).toLocaleString("en-US")),
                                    ),
                                    h("td", { class: "number" }, bytes(figures.diskBytes ?? 0)),
                                    h(
                                        "td",
                                        { class: "number" },
                                        figures.partRows > 0 ? (figures.diskBytes / figures.partRows).toFixed(2) : "–",
                                    ),
                                    ...[figures.oldest, figures.newest].map((time) =>
                                        h("td", { class: "number" }, time ? ago(Date.parse(time)) : "–"),
                                    ),
                                ]),
                            ),
                        ),
                    ]),
                ]),
            ),
        ];
    }

    /** @param {api.Target[]} list */
    const targetTable = (list) =>
        panel(
            {
                title: "Scrape targets",
                hint: [
                    `${list.filter((target) => target.health === "up").length} of ${list.length} up · `,
                    link(href("/targets"), {}, "Details, dropped targets and relabelling"),
                ],
                flush: true,
                testid: "targets",
            },
            h("div", { class: "table-scroll" }, [
                h("table", { class: "table" }, [
                    h("thead", null, [
                        h(
                            "tr",
                            null,
                            ["Health", "Job", "Address", "Labels", "Last scrape", "Took"].map((title, index) =>
                                h("th", { class: index > 3 ? "number" : "" }, title),
                            ),
                        ),
                    ]),
                    h(
                        "tbody",
                        null,
                        [...list]
                            .sort(
                                (a, b) =>
                                    Number(a.health === "up") - Number(b.health === "up") ||
                                    (a.scrapePool < b.scrapePool ? -1 : 1),
                            )
                            .map((target) =>
                                h("tr", { key: target.scrapePool + target.scrapeUrl }, [
                                    h("td", null, [
                                        h(
                                            "span",
                                            {
                                                class: [
                                                    "badge",
                                                    target.health === "up"
                                                        ? "ok"
                                                        : target.health === "down"
                                                          ? "bad"
                                                          : "",
                                                ],
                                            },
                                            target.health,
                                        ),
                                    ]),
                                    h("td", null, [h("b", null, target.scrapePool)]),
                                    h("td", null, [
                                        h("span", { class: "mono" }, target.scrapeUrl),
                                        target.lastError
                                            ? h("div", { class: "bad target-error" }, target.lastError)
                                            : null,
                                    ]),
                                    h("td", null, [
                                        h(
                                            "div",
                                            { class: "row wrap", style: { gap: "4px" } },
                                            Object.entries(target.labels ?? {})
                                                .filter(([name]) => name !== "job")
                                                .map(([name, value]) =>
                                                    h("span", { class: "chip", key: name }, [
                                                        `${name}=`,
                                                        h("b", null, value),
                                                    ]),
                                                ),
                                        ),
                                    ]),
                                    h(
                                        "td",
                                        { class: "number" },
                                        target.lastScrape && !target.lastScrape.startsWith("0001")
                                            ? ago(Date.parse(target.lastScrape))
                                            : "–",
                                    ),
                                    h(
                                        "td",
                                        { class: "number" },
                                        target.lastScrapeDuration ? duration(target.lastScrapeDuration) : "–",
                                    ),
                                ]),
                            ),
                    ),
                ]),
            ]),
        );

    return () => [
        show(status, { loading: () => [loading({ height: 74 }), loading({ height: 200 })], content: store }),
        show(targets, {
            loading: () => loading({ height: 200 }),
            content: targetTable,
            empty: (list) =>
                list.length > 0
                    ? null
                    : h("div", { class: "panel" }, [
                          empty({
                              title: "Nothing is scraped",
                              text: "Apus takes prometheus.yml as it is:",
                              snippet: scrape,
                              icon: "status",
                          }),
                      ]),
        }),
    ];
});
