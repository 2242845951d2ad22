import { computed, h, shallowRef } from "vue";
import * as api from "../api.js";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { sparkline } from "../components/sparkline.js";
import { empty, loading, show } from "../components/states.js";
import { ago, duration, number, percent, plural } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { link } from "../link.js";
import { span } from "../range.js";
import { resource } from "../resource.js";
import { go, href, servicePath } from "../router.js";
import { aligned, rateRange, stepFor } from "../time.js";

/** @typedef {import("../api.js").Service} Service */
/** @typedef {{ rate: Map<string, [number, number][]>, errors: Map<string, [number, number][]> }} Trends */

const signals = [
    ["metrics", "Metrics"],
    ["logs", "Logs"],
    ["spans", "Traces"],
    ["profiles", "Profiles"],
];

const start = `# a Go service (kits/go): one call sets up metrics, logs, traces and profiles
service, err := observe.Start("shop")

# any OpenTelemetry SDK
export OTEL_SERVICE_NAME=shop
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318

# or scrape it: prometheus.yml, named in apus.yaml
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ['127.0.0.1:8080']}]`;

/**
 * The rate of requests of each service over time, by whichever label names it.
 *
 * @param {AbortSignal} signal
 * @param {import("../time.js").Span} range
 * @returns {Promise<Trends>}
 */
async function loadTrends(signal, range) {
    const step = stepFor(range, 40);
    const window = rateRange(step);
    const trends = { rate: new Map(), errors: new Map() };
    const one = async (/** @type {string} */ label, /** @type {string} */ metric) => {
        try {
            const answer = await api.queryRange(
                `sum by (${label}) (rate(${metric}{${label}!=""}[${window}]))`,
                aligned(range, step),
                step,
                { signal },
            );
            for (const series of answer.series)
                if (!trends.rate.has(series.labels[label])) trends.rate.set(series.labels[label], series.points);
        } catch (error) {
            // The sparkline is an extra: the table stands without.
            if (signal.aborted) throw error;
        }
    };
    await Promise.all([
        one("service", "http_request_duration_seconds_count"),
        one("job", "http_request_duration_seconds_count"),
        one("job", "http_server_request_duration_seconds_count"),
    ]);
    return trends;
}

/** Every service that any signal names, with what its requests are like. */
export const Services = component("Services", [], () => {
    setHead("Services");
    const filter = shallowRef("");
    const sort = shallowRef(/** @type {{ by: keyof Service, down: boolean }} */ ({ by: "spanRate", down: true }));
    const services = resource((signal, range) => api.services(range, { signal }));
    const trends = resource(loadTrends);
    const rows = computed(() => {
        const wanted = filter.value.toLowerCase();
        const { by, down } = sort.value;
        return (services.data.value ?? [])
            .filter((service) => service.name.toLowerCase().includes(wanted))
            .sort((a, b) => {
                const [x, y] = [a[by] ?? -1, b[by] ?? -1];
                return (x < y ? -1 : x > y ? 1 : a.name < b.name ? 1 : -1) * (down ? -1 : 1);
            });
    });

    /** @param {keyof Service} by @param {string} title @param {string} [kind] */
    const column = (by, title, kind = "number") =>
        h(
            "th",
            {
                class: kind,
                "aria-sort": sort.value.by === by ? (sort.value.down ? "descending" : "ascending") : undefined,
            },
            [
                h(
                    "button",
                    {
                        type: "button",
                        class: "sort",
                        onClick: () => {
                            sort.value = { by, down: sort.value.by === by ? !sort.value.down : by !== "name" };
                        },
                    },
                    [
                        title,
                        sort.value.by === by ? icon(sort.value.down ? "down" : "up", { width: 11, height: 11 }) : null,
                    ],
                ),
            ],
        );

    /** @param {Service} service */
    function row(service) {
        const address = href(servicePath(service.name));
        const hasRequests = service.p50 !== null && service.p50 !== undefined;
        const trend = trends.data.value?.rate.get(service.name);
        const ratio = service.errorRatio;
        return h(
            "tr",
            {
                key: service.name,
                class: "link",
                "data-testid": `service-${service.name}`,
                onClick: (/** @type {MouseEvent} */ event) => {
                    if (!event.defaultPrevented) go(address);
                },
            },
            [
                h("td", null, [
                    h("div", { class: "row" }, [
                        h("span", { class: "service-mark", style: { background: serviceColour(service.name) } }),
                        h("div", { style: { minWidth: 0 } }, [
                            link(address, { class: "service-name" }, service.name),
                            h("div", { class: "faint service-note" }, [
                                service.language || null,
                                service.language && service.lastSeen ? " · " : null,
                                service.lastSeen ? `seen ${ago(service.lastSeen * 1000)}` : null,
                            ]),
                        ]),
                    ]),
                ]),
                h(
                    "td",
                    null,
                    trend && trend.length > 0
                        ? sparkline(trend, { span: span.value, colour: "var(--accent)", width: 130 })
                        : h("span", { class: "faint" }, "–"),
                ),
                h(
                    "td",
                    { class: "number" },
                    hasRequests ? `${number(service.spanRate)}/s` : h("span", { class: "faint" }, "–"),
                ),
                h(
                    "td",
                    { class: "number" },
                    hasRequests
                        ? [
                              h(
                                  "span",
                                  { class: ["badge", ratio >= 0.05 ? "bad" : ratio >= 0.01 ? "warn" : "ok"] },
                                  percent(ratio),
                              ),
                          ]
                        : h("span", { class: "faint" }, "–"),
                ),
                ...[service.p50, service.p95, service.p99].map((value) =>
                    h(
                        "td",
                        { class: "number" },
                        value === null || value === undefined ? h("span", { class: "faint" }, "–") : duration(value),
                    ),
                ),
                h(
                    "td",
                    null,
                    h(
                        "div",
                        { class: "row", style: { gap: "4px" } },
                        signals.map(([name, title]) => {
                            const has = service.signals.includes(name);
                            const place =
                                name === "logs"
                                    ? href("/logs", { service: service.name })
                                    : name === "spans"
                                      ? href("/traces", { service: service.name })
                                      : name === "profiles"
                                        ? href("/profiles", { service: service.name })
                                        : address;
                            return has
                                ? link(
                                      place,
                                      {
                                          class: "signal on",
                                          title: `${title} of ${service.name}`,
                                          "aria-label": `${title} of ${service.name}`,
                                      },
                                      icon(name === "spans" ? "traces" : name === "metrics" ? "status" : name, {
                                          width: 14,
                                          height: 14,
                                      }),
                                  )
                                : h(
                                      "span",
                                      { class: "signal", title: `no ${title.toLowerCase()}` },
                                      icon(name === "spans" ? "traces" : name === "metrics" ? "status" : name, {
                                          width: 14,
                                          height: 14,
                                      }),
                                  );
                        }),
                    ),
                ),
            ],
        );
    }

    /** @param {Service[]} list */
    function summary(list) {
        const serving = list.filter((service) => service.p50 !== null && service.p50 !== undefined);
        const rate = serving.reduce((sum, service) => sum + service.spanRate, 0);
        const errors = serving.reduce((sum, service) => sum + service.spanRate * service.errorRatio, 0);
        const slowest = serving.reduce(
            (worst, service) => ((service.p95 ?? 0) > (worst?.p95 ?? -1) ? service : worst),
            /** @type {Service | null} */ (null),
        );
        /** @param {string} name @param {import("vue").Child} value @param {string} note @param {string} [tone] */
        const tile = (name, value, note, tone) =>
            h("div", { class: "tile" }, [
                h("span", { class: "tile-name" }, name),
                h("span", { class: ["tile-value", tone] }, value),
                h("span", { class: "tile-note" }, note),
            ]);
        const ratio = rate > 0 ? errors / rate : 0;
        return h("div", { class: "tiles" }, [
            tile(
                "Services",
                String(list.length),
                `${plural(serving.length, "one answers requests", "answer requests")}`.replace("1 one", "one"),
            ),
            tile("Requests", `${number(rate)}/s`, "over all services"),
            tile("Errors", percent(ratio), `${number(errors)}/s end in an error`, ratio >= 0.05 ? "bad" : undefined),
            tile(
                "Slowest p95",
                slowest ? duration(slowest.p95 ?? 0) : "–",
                slowest ? slowest.name : "no requests in this range",
            ),
        ]);
    }

    return () =>
        show(services, {
            loading: () => [loading({ height: 74 }), loading({ height: 320 })],
            empty: (list) =>
                list.length > 0
                    ? null
                    : empty({
                          title: "No service has sent anything in this range",
                          text: "Services appear here by themselves as soon as Apus has a metric, log line, span or profile of theirs.",
                          snippet: start,
                          icon: "services",
                      }),
            content: (list) => [
                summary(list),
                h("section", { class: "panel flush", "aria-label": "Services" }, [
                    h("header", null, [
                        h("h2", null, "All services"),
                        h("span", { class: "hint" }, "requests are the spans of kind server and consumer"),
                        h("label", { class: "field", style: { marginLeft: "auto", width: "210px", height: "28px" } }, [
                            icon("search"),
                            h("span", { class: "visually-hidden" }, "Filter services"),
                            h("input", {
                                type: "search",
                                placeholder: "Filter",
                                "data-search": "",
                                value: filter.value,
                                onInput: (/** @type {any} */ event) => {
                                    filter.value = event.target.value;
                                },
                            }),
                        ]),
                    ]),
                    h("div", { class: "table-scroll" }, [
                        h("table", { class: "table services-table", "data-testid": "services" }, [
                            h("thead", null, [
                                h("tr", null, [
                                    column("name", "Service", ""),
                                    h("th", null, "Requests over time"),
                                    column("spanRate", "Rate"),
                                    column("errorRatio", "Errors"),
                                    column("p50", "p50"),
                                    column("p95", "p95"),
                                    column("p99", "p99"),
                                    h("th", null, "Signals"),
                                ]),
                            ]),
                            h("tbody", null, rows.value.map(row)),
                        ]),
                    ]),
                    rows.value.length === 0
                        ? empty({ title: `No service is called like “${filter.value}”`, compact: true })
                        : null,
                ]),
            ],
        });
});
