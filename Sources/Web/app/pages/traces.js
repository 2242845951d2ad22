import { computed, h, shallowRef, watch } from "vue";
import * as api from "../api.js";
import { timeAxis, tooltip, tooltipHTML, grid, valueAxis } from "../charts/axes.js";
import { colour, serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { Chart } from "../components/chart.js";
import { Editor } from "../components/editor.js";
import { panel } from "../components/panel.js";
import { empty, loading, show } from "../components/states.js";
import { ago, dateTime, duration, plural } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { problemPlace } from "../lang/place.js";
import { link } from "../link.js";
import { rootOf, traceQuery } from "../model/trace-query.js";
import { refresh } from "../range.js";
import { resource } from "../resource.js";
import { go, href, route, setQuery, tracePath } from "../router.js";

/** @typedef {{ traces: api.TraceSummary[], failed: Set<string>, span: import("../time.js").Span }} Found */

const limit = 100;
const start = `# an OpenTelemetry SDK
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
export OTEL_SERVICE_NAME=myapp

# Jaeger clients: http://127.0.0.1:2787/api/traces    Zipkin: http://127.0.0.1:2787/api/v2/spans`;

/** Trace search: by fields, or in TraceQL. */
export const Traces = component("Traces", [], () => {
    setHead("Traces");
    const names = /** @type {("service" | "name" | "min" | "max" | "status" | "attribute")[]} */ ([
        "service",
        "name",
        "min",
        "max",
        "status",
        "attribute",
    ]);
    const isText = computed(() => route.query.q !== undefined);
    const fields = computed(() => Object.fromEntries(names.map((name) => [name, route.query[name]])));
    const query = computed(() => route.query.q ?? traceQuery(fields.value));
    const draft = shallowRef(query.value);
    watch(query, (value) => {
        draft.value = value;
    });
    const order = shallowRef(/** @type {"newest" | "longest"} */ ("newest"));
    const services = resource((signal, range) => api.services(range, { signal }));
    const found = resource(
        async (signal, range) => {
            const traces = await api.searchTraces(query.value, range, limit, { signal });
            const failed = traces.filter((trace) =>
                Object.values(trace.serviceStats ?? {}).some((counts) => (counts.errorCount ?? 0) > 0),
            );
            return /** @type {Found} */ ({
                traces,
                failed: new Set(failed.map((trace) => trace.traceID)),
                span: range,
            });
        },
        () => query.value,
    );
    const problem = computed(() => (found.error.value ? problemPlace(found.error.value.message, query.value) : null));

    /** @param {string} name @param {string} title @param {string} hint @param {string} width */
    const input = (name, title, hint, width) =>
        h("label", { class: "field", style: { width } }, [
            h("span", { class: "name" }, title),
            h("input", {
                placeholder: hint,
                value: route.query[name] ?? "",
                "aria-label": title,
                "data-search": name === "name" ? "" : undefined,
                onChange: (/** @type {any} */ event) => setQuery({ [name]: event.target.value.trim() || null }),
            }),
        ]);
    /** @param {string} name @param {string} title @param {[string, string][]} options */
    const select = (name, title, options) =>
        h("label", { class: "field" }, [
            name === "service" && route.query.service
                ? h("span", { class: "dot", style: { background: serviceColour(route.query.service) } })
                : null,
            h("span", { class: "name" }, title),
            h(
                "select",
                {
                    "aria-label": title,
                    value: route.query[name] ?? "",
                    onChange: (/** @type {any} */ event) => setQuery({ [name]: event.target.value || null }),
                },
                options.map(([value, text]) =>
                    h("option", { value, key: value, selected: value === (route.query[name] ?? "") }, text),
                ),
            ),
        ]);

    function form() {
        const known = (services.data.value ?? [])
            .filter((service) => service.signals.includes("spans"))
            .map((service) => service.name);
        const all = [...new Set([...known, ...(route.query.service ? [route.query.service] : [])])].sort();
        return h(
            "form",
            {
                class: "row wrap trace-search",
                role: "search",
                "aria-label": "Search traces",
                onSubmit: (/** @type {Event} */ event) => event.preventDefault(),
            },
            [
                select("service", "service", [
                    ["", "any"],
                    .../** @type {[string, string][]} */ (all.map((name) => [name, name])),
                ]),
                input("name", "span", "part of its name", "158px"),
                input("min", "longer than", "100ms", "132px"),
                input("max", "shorter than", "2s", "124px"),
                select("status", "status", [
                    ["", "any"],
                    ["error", "error"],
                    ["ok", "ok"],
                    ["unset", "unset"],
                ]),
                input("attribute", "attribute", "http.route=/checkout", "218px"),
                names.some((name) => route.query[name])
                    ? h(
                          "button",
                          {
                              type: "button",
                              class: "button quiet",
                              onClick: () => setQuery(Object.fromEntries(names.map((name) => [name, null]))),
                          },
                          [icon("close"), "Clear"],
                      )
                    : null,
            ],
        );
    }

    /**
     * The part of the range that the traces lie in: all of it, unless there were more of them.
     *
     * @param {Found} value
     */
    function shownSpan({ traces, span }) {
        if (traces.length < limit) return span;
        return {
            start: Math.min(...traces.map((trace) => Number(trace.startTimeUnixNano) / 1e6)) - 1000,
            end: span.end,
        };
    }

    /**
     * Durations over time: one point a trace.
     *
     * @param {Found} value
     */
    const scatter = (value) =>
        h(Chart, {
            label: "Traces by start and duration",
            version: value,
            zooms: true,
            onPick: (/** @type {any} */ event) => go(href(tracePath(event.data.traceID))),
            option: () => ({
                animation: false,
                grid,
                xAxis: timeAxis(shownSpan(value)),
                yAxis: valueAxis("s", { min: 0, splitNumber: 3 }),
                tooltip: tooltip({
                    trigger: "item",
                    formatter: (/** @type {any} */ item) =>
                        tooltipHTML(
                            item.value[0],
                            [{ name: item.data.name, colour: item.color, value: duration(item.value[1]) }],
                            "click to open it",
                        ),
                }),
                series: [
                    {
                        type: "scatter",
                        cursor: "pointer",
                        emphasis: { scale: 1.6 },
                        data: value.traces.map((trace) => {
                            const isFailed = value.failed.has(trace.traceID);
                            return {
                                value: [Number(trace.startTimeUnixNano) / 1e6, trace.durationMs / 1000],
                                traceID: trace.traceID,
                                name: `${rootOf(trace).service} ${rootOf(trace).name}`,
                                symbolSize: isFailed ? 9 : 7,
                                itemStyle: { color: isFailed ? colour("level-error") : colour("accent"), opacity: 0.8 },
                            };
                        }),
                    },
                ],
            }),
        });

    /** @param {Found} value */
    function list(value) {
        const top = Math.max(1, ...value.traces.map((trace) => trace.durationMs));
        const sorted = [...value.traces].sort((a, b) =>
            order.value === "longest"
                ? b.durationMs - a.durationMs
                : Number(b.startTimeUnixNano) - Number(a.startTimeUnixNano),
        );
        return h("section", { class: "panel flush", "aria-label": "Traces" }, [
            h("header", null, [
                h("h2", null, plural(value.traces.length, "trace")),
                h(
                    "span",
                    { class: "hint" },
                    value.traces.length >= limit
                        ? `the newest ${limit}; narrow the search or the range for others`
                        : value.failed.size > 0
                          ? `${value.failed.size} with an error`
                          : "",
                ),
                h(
                    "div",
                    { class: "button-group", style: { marginLeft: "auto" }, role: "group", "aria-label": "Order" },
                    /** @type {const} */ (["newest", "longest"]).map((name) =>
                        h(
                            "button",
                            {
                                type: "button",
                                class: "button small",
                                "aria-pressed": String(order.value === name),
                                onClick: () => {
                                    order.value = name;
                                },
                            },
                            name === "newest" ? "Newest" : "Longest",
                        ),
                    ),
                ),
            ]),
            h("div", { class: "table-scroll" }, [
                h("table", { class: "table trace-table", "data-testid": "traces" }, [
                    h("thead", null, [
                        h(
                            "tr",
                            null,
                            ["Trace", "Matched", "Started", "Duration"].map((title) =>
                                h("th", { class: title === "Matched" ? "number" : "" }, title),
                            ),
                        ),
                    ]),
                    h(
                        "tbody",
                        null,
                        sorted.map((trace) => {
                            const address = href(tracePath(trace.traceID));
                            const root = rootOf(trace);
                            const set = trace.spanSet ?? trace.spanSets?.[0];
                            const isFailed = value.failed.has(trace.traceID);
                            const time = Number(trace.startTimeUnixNano) / 1e6;
                            return h(
                                "tr",
                                {
                                    key: trace.traceID,
                                    class: "link",
                                    onClick: (/** @type {MouseEvent} */ event) => {
                                        if (!event.defaultPrevented) go(address);
                                    },
                                },
                                [
                                    h("td", null, [
                                        h("div", { class: "row" }, [
                                            h("span", {
                                                class: "service-mark",
                                                style: { background: serviceColour(root.service) },
                                            }),
                                            link(address, { class: "trace-name clip" }, [
                                                h("span", { class: "muted" }, `${root.service} `),
                                                root.name,
                                            ]),
                                            isFailed ? h("span", { class: "badge bad" }, "error") : null,
                                            h("span", { class: "mono faint trace-id" }, trace.traceID.slice(0, 8)),
                                        ]),
                                    ]),
                                    h("td", { class: "number muted" }, set ? plural(set.matched, "span") : "–"),
                                    h("td", { class: "nowrap number", style: { textAlign: "left" } }, [
                                        dateTime(time),
                                        h("span", { class: "faint" }, `  ${ago(time)}`),
                                    ]),
                                    h("td", { class: "duration-cell" }, [
                                        h("div", { class: "row" }, [
                                            h("span", { class: "bar grow" }, [
                                                h("i", {
                                                    class: { bad: isFailed },
                                                    style: { width: `${Math.max(1, (trace.durationMs / top) * 100)}%` },
                                                }),
                                            ]),
                                            h(
                                                "span",
                                                { class: "number", style: { width: "70px" } },
                                                duration(trace.durationMs / 1000),
                                            ),
                                        ]),
                                    ]),
                                ],
                            );
                        }),
                    ),
                ]),
            ]),
        ]);
    }

    return () => [
        h("div", { class: "row wrap search-bar" }, [
            h("div", { class: "button-group", role: "group", "aria-label": "How to search" }, [
                h(
                    "button",
                    {
                        type: "button",
                        class: "button",
                        "aria-pressed": String(!isText.value),
                        onClick: () => setQuery({ q: null }),
                    },
                    [icon("filter"), "Fields"],
                ),
                h(
                    "button",
                    {
                        type: "button",
                        class: "button",
                        "aria-pressed": String(isText.value),
                        onClick: () => setQuery({ q: traceQuery(fields.value) }),
                    },
                    "TraceQL",
                ),
            ]),
            isText.value
                ? [
                      h(Editor, {
                          value: draft.value,
                          language: "traceql",
                          label: "TraceQL query",
                          hint: "{ status = error && duration > 100ms }",
                          singleLine: true,
                          problem: problem.value,
                          onChange: (/** @type {string} */ text) => {
                              draft.value = text;
                          },
                          onRun: (/** @type {string} */ text) =>
                              text === query.value ? refresh() : setQuery({ q: text }),
                      }),
                      h(
                          "button",
                          {
                              type: "button",
                              class: "button primary",
                              onClick: () => (draft.value === query.value ? refresh() : setQuery({ q: draft.value })),
                          },
                          [icon("play"), "Run"],
                      ),
                  ]
                : form(),
        ]),
        show(found, {
            loading: () => [loading({ height: 150 }), loading({ height: 360 })],
            empty: (value) =>
                value.traces.length > 0
                    ? null
                    : h("div", { class: "panel" }, [
                          services.data.value?.some((service) => service.signals.includes("spans")) === false
                              ? empty({
                                    title: "No traces have arrived in this range",
                                    text: "Point an SDK at Apus:",
                                    snippet: start,
                                    icon: "traces",
                                })
                              : empty({
                                    title: "No trace matches",
                                    text: "Choose a wider range of time, or take a condition away.",
                                    icon: "search",
                                }),
                      ]),
            content: (value) => [
                panel(
                    { title: "Durations", hint: "a point a trace" },
                    h("div", { class: "chart-box short" }, [scatter(value)]),
                ),
                list(value),
            ],
        }),
    ];
});
