// The panels of a service's page: which of its metrics they need, what they ask, where they stand. Nothing here touches the page.

/** @typedef {import("../format.js").Unit} Unit */
/**
 * @typedef {object} Ask
 * @property {string} query
 * @property {string} [name] of the line; else the labels in `legend`
 * @property {string[]} [legend]
 */
/**
 * @typedef {object} PanelSpec
 * @property {string} id
 * @property {string} title
 * @property {string} [hint]
 * @property {Unit} unit
 * @property {"line" | "area" | "stack" | "heatmap" | "status"} look
 * @property {(context: PanelContext) => Ask[]} asks none where the metrics for it are missing
 * @property {{ x: number, y: number, w: number, h: number }} place
 * @property {string} missing what to do where there is nothing to ask
 * @property {boolean} [hasTraces] its points lead to traces
 */
/**
 * @typedef {object} PanelContext
 * @property {string} selector the matchers of the service: `service="orders"`
 * @property {Set<string>} metrics that it has
 * @property {string} window of rates
 */

/** Requests that only observe. */
const served = 'route!~"/metrics|/healthz|/readyz|/debug/.*|/-/.*"';

/**
 * Histograms of requests by their names in use, with the label of the status code.
 *
 * @type {[string, string, string][]} name, status label, route label
 */
const requestHistograms = [
    ["http_request_duration_seconds", "status", "route"],
    ["http_server_request_duration_seconds", "http_response_status_code", "http_route"],
    ["http_server_duration_milliseconds", "http_status_code", "http_route"],
    ["http_requests_duration_seconds", "code", "handler"],
];
const queryHistograms = [
    "db_query_duration_seconds",
    "db_client_operation_duration_seconds",
    "pg_query_duration_seconds",
    "sql_query_duration_seconds",
];

/** @param {PanelContext} context */
function requests({ metrics }) {
    return requestHistograms.find(([name]) => metrics.has(`${name}_bucket`)) ?? null;
}

/** @param {PanelContext} context @param {string[]} names */
const first = ({ metrics }, names) => names.find((name) => metrics.has(name)) ?? null;

/** @param {string} name */
const scale = (name) => (name.endsWith("_milliseconds") ? " / 1000" : "");

const noRequests = "No histogram of requests: export http_request_duration_seconds (the Go kit and ApusKit do).";

/** @type {PanelSpec[]} */
export const panels = [
    {
        id: "latency",
        title: "HTTP latency",
        hint: "percentiles of all requests",
        unit: "s",
        look: "line",
        place: { x: 0, y: 0, w: 6, h: 4 },
        missing: noRequests,
        hasTraces: true,
        asks: (context) => {
            const found = requests(context);
            return found
                ? [0.99, 0.95, 0.5].map((quantile) => ({
                      name: `p${quantile * 100}`,
                      query: `histogram_quantile(${quantile}, sum by (le) (rate(${found[0]}_bucket{${context.selector}, ${served}}[${context.window}])))${scale(found[0])}`,
                  }))
                : [];
        },
    },
    {
        id: "heatmap",
        title: "Latency heatmap",
        hint: "requests by how long they took",
        unit: "s",
        look: "heatmap",
        place: { x: 6, y: 0, w: 6, h: 4 },
        missing: noRequests,
        hasTraces: true,
        asks: (context) => {
            const found = requests(context);
            return found
                ? [
                      {
                          query: `sum by (le) (rate(${found[0]}_bucket{${context.selector}, ${served}}[${context.window}]))`,
                          legend: ["le"],
                      },
                  ]
                : [];
        },
    },
    {
        id: "status",
        title: "Requests by status code",
        unit: "/s",
        look: "status",
        place: { x: 0, y: 4, w: 6, h: 4 },
        missing: noRequests,
        hasTraces: true,
        asks: (context) => {
            const found = requests(context);
            return found
                ? [
                      {
                          query: `sum by (${found[1]}) (rate(${found[0]}_count{${context.selector}, ${served}}[${context.window}]))`,
                          legend: [found[1]],
                      },
                  ]
                : [];
        },
    },
    {
        id: "routes",
        title: "p95 by route",
        unit: "s",
        look: "line",
        place: { x: 6, y: 4, w: 6, h: 4 },
        missing: noRequests,
        hasTraces: true,
        asks: (context) => {
            const found = requests(context);
            return found
                ? [
                      {
                          query: `histogram_quantile(0.95, sum by (le, ${found[2]}) (rate(${found[0]}_bucket{${context.selector}, ${served}}[${context.window}])))${scale(found[0])}`,
                          legend: [found[2]],
                      },
                  ]
                : [];
        },
    },
    {
        id: "database",
        title: "Database query latency",
        hint: "p95 by statement",
        unit: "s",
        look: "line",
        place: { x: 0, y: 8, w: 6, h: 4 },
        hasTraces: true,
        missing: "No histogram of queries: export db_query_duration_seconds (the Go kit wraps database/sql).",
        asks: (context) => {
            const name = first(
                context,
                queryHistograms.map((one) => `${one}_bucket`),
            );
            return name
                ? [
                      {
                          query: `histogram_quantile(0.95, sum by (le, operation, table) (rate(${name}{${context.selector}}[${context.window}])))`,
                          legend: ["operation", "table"],
                      },
                  ]
                : [];
        },
    },
    {
        id: "queries",
        title: "Database queries",
        hint: "per second, by statement",
        unit: "/s",
        look: "stack",
        place: { x: 6, y: 8, w: 6, h: 4 },
        missing: "No histogram of queries: export db_query_duration_seconds (the Go kit wraps database/sql).",
        asks: (context) => {
            const name = first(
                context,
                queryHistograms.map((one) => `${one}_count`),
            );
            return name
                ? [
                      {
                          query: `sum by (operation, table) (rate(${name}{${context.selector}}[${context.window}]))`,
                          legend: ["operation", "table"],
                      },
                  ]
                : [];
        },
    },
    {
        id: "goroutines",
        title: "Goroutines",
        unit: "count",
        look: "area",
        place: { x: 0, y: 12, w: 4, h: 4 },
        missing: "No go_goroutines: this is no Go service, or its runtime metrics are off.",
        asks: (context) => {
            const name = first(context, ["go_goroutines", "go_goroutine_count", "process_runtime_go_goroutines"]);
            return name ? [{ query: `sum by (instance) (${name}{${context.selector}})`, legend: ["instance"] }] : [];
        },
    },
    {
        id: "memory",
        title: "Memory",
        unit: "bytes",
        look: "line",
        place: { x: 4, y: 12, w: 4, h: 4 },
        missing: "No process_resident_memory_bytes: add the process collector of your Prometheus client.",
        asks: (context) =>
            [
                ["resident", "process_resident_memory_bytes"],
                ["heap in use", "go_memstats_heap_inuse_bytes"],
                ["stacks", "go_memstats_stack_inuse_bytes"],
            ]
                .filter(([, metric]) => context.metrics.has(metric))
                .map(([name, metric]) => ({ name, query: `sum(${metric}{${context.selector}})` })),
    },
    {
        id: "cpu",
        title: "Processor",
        unit: "cores",
        look: "area",
        place: { x: 8, y: 12, w: 4, h: 4 },
        missing: "No process_cpu_seconds_total: add the process collector of your Prometheus client.",
        asks: (context) => {
            const name = first(context, ["process_cpu_seconds_total"]);
            return name
                ? [
                      {
                          query: `sum by (instance) (rate(${name}{${context.selector}}[${context.window}]))`,
                          legend: ["instance"],
                      },
                  ]
                : [];
        },
    },
];

/**
 * The name of a series: the values of the legend's labels, or all of its labels.
 *
 * @param {Record<string, string>} labels
 * @param {string[]} [legend]
 */
export function seriesName(labels, legend) {
    if (legend)
        return (
            legend
                .map((label) => labels[label])
                .filter((value) => value && value !== "none")
                .join(" ") || "all"
        );
    const { __name__: name = "", ...rest } = labels;
    const inner = Object.entries(rest)
        .map(([key, value]) => `${key}="${value}"`)
        .join(", ");
    return inner ? `${name}{${inner}}` : name || "value";
}
