import { computed, h, shallowRef, watch } from "vue";
import * as api from "../api.js";
import { component } from "../component.js";
import { Editor } from "../components/editor.js";
import { LogRow } from "../components/log-row.js";
import { empty, failure, loading } from "../components/states.js";
import { TimeChart } from "../components/time-chart.js";
import { dateTime, duration, number, plural, unitOf, withUnit } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { highlighted } from "../lang/highlight.js";
import { pointed, problemPlace } from "../lang/place.js";
import { link } from "../link.js";
import { isMetricQuery } from "../model/logs.js";
import { seriesName } from "../model/panels.js";
import { rootOf } from "../model/trace-query.js";
import { recall, remember } from "../memory.js";
import { refresh } from "../range.js";
import { resource } from "../resource.js";
import { href, route, setQuery, tracePath } from "../router.js";
import { aligned, stepFor } from "../time.js";

/** @typedef {import("../lang/completion.js").Language} Language */
/**
 * @typedef {object} Result
 * @property {api.PromAnswer | null} range over time
 * @property {api.PromAnswer | null} instant at the end of the range
 * @property {api.LogEntry[] | null} entries
 * @property {api.TraceSummary[] | null} traces
 * @property {any} raw
 * @property {number} step seconds
 * @property {number} took milliseconds
 * @property {import("../time.js").Span} span
 */

const languages = /** @type {[Language, string][]} */ ([
    ["promql", "PromQL"],
    ["logql", "LogQL"],
    ["traceql", "TraceQL"],
]);
const examples = /** @type {Record<Language, [string, string][]>} */ ({
    promql: [
        ["up", "Which targets answer"],
        ["sum by (status) (rate(http_request_duration_seconds_count[1m]))", "Requests by status code"],
        [
            "histogram_quantile(0.95, sum by (le, job) (rate(http_request_duration_seconds_bucket[1m])))",
            "95th percentile of latency by job",
        ],
        ["topk(5, process_resident_memory_bytes)", "The largest processes"],
    ],
    logql: [
        ['{service=~".+"}', "All lines"],
        ['{service="orders"} |= "error" | json', "Lines with “error”, as fields"],
        ['sum by (level) (count_over_time({service="orders"} | json [1m]))', "Lines a minute by level"],
    ],
    traceql: [
        ["{ status = error }", "Traces with a failed span"],
        ['{ duration > 250ms && span.db.system = "postgresql" }', "Slow database calls"],
        ['{ resource.service.name = "orders" && kind = server }', "Requests to one service"],
    ],
});

/** Any query in any of the languages, as chart, table and raw answer. */
export const Explore = component("Explore", [], () => {
    setHead("Explore");
    const language = computed(
        () =>
            /** @type {Language} */ (
                languages.some(([name]) => name === route.query.lang) ? route.query.lang : "promql"
            ),
    );
    const query = computed(() => route.query.q ?? "");
    const draft = shallowRef(query.value);
    watch(
        () => [query.value, language.value],
        () => {
            draft.value = query.value;
        },
    );
    const view = computed(() => route.query.view ?? "chart");

    /** @param {AbortSignal} signal @param {import("../time.js").Span} span @returns {Promise<Result>} */
    async function load(signal, span) {
        const began = performance.now();
        const step = stepFor(span, 240);
        const within = aligned(span, step);
        const result = /** @type {Result} */ ({
            range: null,
            instant: null,
            entries: null,
            traces: null,
            raw: null,
            step,
            took: 0,
            span,
        });
        if (language.value === "promql") {
            const instant = await api.queryInstant(query.value, span.end, { signal });
            result.instant = instant;
            result.raw = instant.raw;
            if (instant.type === "vector" || instant.type === "scalar")
                result.range = await api.queryRange(query.value, within, step, { signal });
            else if (instant.type === "matrix") result.range = instant;
            if (view.value !== "table" && result.range) result.raw = result.range.raw;
        } else if (language.value === "logql") {
            const found = await api.lokiRange(query.value, isMetricQuery(query.value) ? within : span, {
                signal,
                ...(isMetricQuery(query.value) ? { step } : { limit: 300 }),
            });
            result.raw = found.raw;
            if (found.answer) result.range = found.answer;
            else result.entries = found.entries;
        } else {
            result.traces = await api.searchTraces(query.value, span, 50, { signal });
            result.raw = { traces: result.traces };
        }
        result.took = performance.now() - began;
        return result;
    }
    const result = resource(
        (signal, span) => (query.value.trim() ? load(signal, span) : null),
        () => [language.value, query.value],
    );
    const problem = computed(() => (result.error.value ? problemPlace(result.error.value.message, query.value) : null));

    const history = shallowRef(/** @type {{ lang: Language, q: string }[]} */ (readHistory()));
    function readHistory() {
        try {
            const list = JSON.parse(recall("queries") ?? "[]");
            return Array.isArray(list)
                ? list
                      .filter((one) => typeof one?.q === "string" && languages.some(([name]) => name === one.lang))
                      .slice(0, 30)
                : [];
        } catch {
            return [];
        }
    }
    /** @param {string} text */
    function run(text) {
        const next = text.trim();
        if (!next) return;
        history.value = [
            { lang: language.value, q: next },
            ...history.value.filter((one) => one.q !== next || one.lang !== language.value),
        ].slice(0, 30);
        remember("queries", JSON.stringify(history.value));
        if (next === query.value) refresh();
        else setQuery({ q: next, lang: language.value });
    }

    /** @param {Result} value */
    function chart(value) {
        if (value.traces) return traceTable(value.traces);
        if (value.entries)
            return h(
                "div",
                { class: "log-list" },
                value.entries.map((entry, index) =>
                    h(LogRow, { key: `${entry.nanoseconds}-${index}`, entry, query: query.value, onQuery: run }),
                ),
            );
        if (!value.range) return h("pre", { class: "raw" }, value.instant?.text ?? "");
        const lines = value.range.series.map((one) => ({ name: seriesName(one.labels), points: one.points }));
        return h("div", { class: "chart-box tall" }, [
            h(TimeChart, {
                lines: lines.slice(0, 120),
                span: value.span,
                step: value.step,
                unit: unitOf(query.value),
                label: `Chart of ${query.value}`,
            }),
        ]);
    }

    /** @param {api.TraceSummary[]} traces */
    const traceTable = (traces) =>
        h("div", { class: "table-scroll" }, [
            h("table", { class: "table" }, [
                h("thead", null, [
                    h(
                        "tr",
                        null,
                        ["Trace", "Root", "Started", "Duration", "Matched spans"].map((title) => h("th", null, title)),
                    ),
                ]),
                h(
                    "tbody",
                    null,
                    traces.map((trace) =>
                        h("tr", { key: trace.traceID }, [
                            h("td", null, [
                                link(
                                    href(tracePath(trace.traceID)),
                                    { class: "text mono" },
                                    trace.traceID.slice(0, 16),
                                ),
                            ]),
                            h("td", null, `${rootOf(trace).service} ${rootOf(trace).name}`),
                            h("td", { class: "nowrap" }, dateTime(Number(trace.startTimeUnixNano) / 1e6)),
                            h("td", { class: "nowrap" }, duration(trace.durationMs / 1000)),
                            h(
                                "td",
                                null,
                                (trace.spanSet ?? trace.spanSets?.[0])?.spans
                                    .slice(0, 3)
                                    .map((span) =>
                                        h("span", { class: "chip", key: span.spanID, style: { marginRight: "4px" } }, [
                                            h("b", null, span.name ?? span.spanID),
                                            duration(Number(span.durationNanos) / 1e9),
                                        ]),
                                    ),
                            ),
                        ]),
                    ),
                ),
            ]),
        ]);

    /** @param {Result} value */
    function table(value) {
        if (value.traces) return traceTable(value.traces);
        if (value.entries)
            return h(
                "div",
                { class: "log-list" },
                value.entries.map((entry, index) =>
                    h(LogRow, { key: `${entry.nanoseconds}-${index}`, entry, query: query.value, onQuery: run }),
                ),
            );
        const vector = value.instant?.vector.length
            ? value.instant.vector
            : (value.range?.series ?? []).map((one) => ({
                  labels: one.labels,
                  time: one.points[one.points.length - 1]?.[0] ?? 0,
                  value: one.points[one.points.length - 1]?.[1] ?? NaN,
              }));
        const names = [...new Set(vector.flatMap((sample) => Object.keys(sample.labels)))].sort((a, b) =>
            a === "__name__" ? -1 : b === "__name__" ? 1 : a < b ? -1 : 1,
        );
        return h("div", { class: "table-scroll", style: { maxHeight: "62vh" } }, [
            h("table", { class: "table", "data-testid": "result-table" }, [
                h("thead", null, [
                    h("tr", null, [
                        ...names.map((name) => h("th", { key: name }, name === "__name__" ? "metric" : name)),
                        h("th", { class: "number" }, "Value"),
                    ]),
                ]),
                h(
                    "tbody",
                    null,
                    [...vector]
                        .sort((a, b) => b.value - a.value)
                        .slice(0, 1000)
                        .map((sample, index) =>
                            h("tr", { key: index }, [
                                ...names.map((name) =>
                                    h("td", { key: name, class: "mono" }, sample.labels[name] ?? ""),
                                ),
                                h(
                                    "td",
                                    { class: "number", title: String(sample.value) },
                                    withUnit(sample.value, unitOf(query.value)),
                                ),
                            ]),
                        ),
                ),
            ]),
        ]);
    }

    /** @param {Result} value */
    function count(value) {
        if (value.traces) return plural(value.traces.length, "trace");
        if (value.entries) return plural(value.entries.length, "line");
        return plural(value.range?.series.length ?? value.instant?.vector.length ?? 1, "series", "series");
    }

    /** @param {Result} value */
    function isEmpty(value) {
        return (
            (value.traces?.length ??
                value.entries?.length ??
                (value.range
                    ? value.range.series.length + (value.instant?.vector.length ?? 0)
                    : value.instant?.text
                      ? 1
                      : 0)) === 0
        );
    }

    /** @param {Result} value */
    function answer(value) {
        const tabs = [
            ["chart", value.traces ? "Traces" : value.entries ? "Lines" : "Chart"],
            ["table", "Table"],
            ["raw", "Raw"],
        ].filter(([name]) => name !== "table" || !(value.traces || value.entries));
        const warnings = [...new Set([...(value.instant?.warnings ?? []), ...(value.range?.warnings ?? [])])];
        return h("section", { class: "panel flush", "aria-label": "Answer", "data-testid": "answer" }, [
            h("div", { class: "tabs", role: "tablist" }, [
                tabs.map(([name, title]) =>
                    h(
                        "button",
                        {
                            key: name,
                            type: "button",
                            role: "tab",
                            class: "tab",
                            "aria-selected": String(
                                view.value === name ||
                                    (name === "chart" && view.value === "table" && !!(value.traces || value.entries)),
                            ),
                            onClick: () => setQuery({ view: name === "chart" ? null : name }, true),
                        },
                        title,
                    ),
                ),
                h("span", { class: "grow" }),
                h("span", { class: "tab-note" }, [
                    count(value),
                    " · ",
                    `${number(value.took)} ms`,
                    value.range && value.range !== value.instant ? ` · step ${duration(value.step)}` : null,
                ]),
            ]),
            warnings.map((text) => h("div", { class: "notice", key: text }, [icon("warning"), text])),
            isEmpty(value)
                ? empty({
                      title: "The query is right, and nothing matches",
                      text: "Choose a wider range of time, or loosen the matchers.",
                      icon: "search",
                  })
                : view.value === "raw"
                  ? h("pre", { class: "raw", tabindex: 0 }, JSON.stringify(value.raw, null, 2).slice(0, 400000))
                  : view.value === "table"
                    ? table(value)
                    : chart(value),
        ]);
    }

    /** @param {string} title @param {{ lang: Language, q: string, note?: string }[]} list */
    const suggestions = (title, list) =>
        h("section", { class: "panel", "aria-label": title }, [
            h("header", null, [h("h2", null, title)]),
            h("div", { class: "panel-body" }, [
                h(
                    "ul",
                    { class: "suggestions" },
                    list.map((one) =>
                        h("li", { key: one.lang + one.q }, [
                            link(href("/explore", { lang: one.lang, q: one.q }), { class: "suggestion" }, [
                                h("code", null, highlighted(one.q, one.lang)),
                                one.note
                                    ? h("span", { class: "faint" }, one.note)
                                    : h("span", { class: "faint" }, languages.find(([name]) => name === one.lang)?.[1]),
                            ]),
                        ]),
                    ),
                ),
            ]),
        ]);

    return () => [
        h("div", { class: "stack", style: { gap: "8px" } }, [
            h("div", { class: "row" }, [
                h(
                    "div",
                    { class: "button-group", role: "group", "aria-label": "Language" },
                    languages.map(([name, title]) =>
                        h(
                            "button",
                            {
                                key: name,
                                type: "button",
                                class: "button",
                                "aria-pressed": String(language.value === name),
                                onClick: () => setQuery({ lang: name, q: null, view: null }),
                            },
                            title,
                        ),
                    ),
                ),
                h("span", { class: "grow" }),
                h("span", { class: "faint nowrap" }, [h("kbd", null, "Ctrl"), " ", h("kbd", null, "⏎"), " runs it"]),
            ]),
            h("div", { class: "query-bar" }, [
                h(Editor, {
                    value: draft.value,
                    language: language.value,
                    label: `${languages.find(([name]) => name === language.value)?.[1]} query`,
                    hint: examples[language.value][1][0],
                    problem: problem.value,
                    onChange: (/** @type {string} */ text) => {
                        draft.value = text;
                    },
                    onRun: run,
                }),
                h(
                    "button",
                    {
                        type: "button",
                        class: "button primary",
                        onClick: () => run(draft.value),
                        disabled: !draft.value.trim(),
                    },
                    [icon("play"), "Run"],
                ),
            ]),
        ]),
        !query.value.trim()
            ? h("div", { class: "columns" }, [
                  suggestions(
                      "To begin with",
                      examples[language.value].map(([q, note]) => ({ lang: language.value, q, note })),
                  ),
                  history.value.length > 0 ? suggestions("Yours before", history.value.slice(0, 8)) : null,
              ])
            : result.error.value
              ? h("div", { class: "panel" }, [
                    failure(result.error.value, result.reload, {
                        detail: problem.value ? pointed(query.value, problem.value) : "",
                    }),
                ])
              : result.data.value
                ? answer(result.data.value)
                : loading({ height: 380 }),
    ];
});
