import { h, shallowRef } from "vue";
import * as api from "../api.js";
import { serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { Grid, forgetLayout } from "../components/grid.js";
import { panel } from "../components/panel.js";
import { empty, loading, show } from "../components/states.js";
import { ago, duration, number, percent } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { link } from "../link.js";
import { quote } from "../model/logs.js";
import { panels } from "../model/panels.js";
import { rootOf } from "../model/trace-query.js";
import { metricSelector } from "../model/service-label.js";
import { resource } from "../resource.js";
import { href, route, tracePath } from "../router.js";
import { ServicePanel } from "./service-panel.js";

/** @typedef {{ failed: api.TraceSummary[], slow: api.TraceSummary[], limit: number }} Noteworthy */

/** A service: its requests, its database, its process, and the ways to its logs, traces and profiles. */
export const Service = component("Service", [], () => {
    const { name } = route.params;
    setHead(name, { name: "Services", path: "/services" });
    const layoutName = "layout.service";
    const layoutVersion = shallowRef(0);

    const found = resource((signal, range) => metricSelector(name, range, signal));
    const summary = resource(
        async (signal, range) =>
            (await api.services(range, { signal })).find((service) => service.name === name) ?? { missing: true },
    );
    const noteworthy = resource(async (signal, range) => {
        const who = `resource.service.name = ${quote(name)}`;
        const known = (await api.services(range, { signal })).find((service) => service.name === name);
        const limit = known?.p99 ?? 0.5;
        const [failed, slow] = await Promise.all([
            api.searchTraces(`{ ${who} && status = error }`, range, 5, { signal }),
            api.searchTraces(`{ ${who} && duration > ${Math.max(1, Math.floor(limit * 1000))}ms }`, range, 5, {
                signal,
            }),
        ]);
        return /** @type {Noteworthy} */ ({ failed, slow, limit });
    });

    const ways = () =>
        h(
            "nav",
            { class: "row wrap ways", "aria-label": `Of ${name}` },
            [
                ["logs", href("/logs", { service: name }), "Logs"],
                ["traces", href("/traces", { service: name }), "Traces"],
                ["profiles", href("/profiles", { service: name }), "Profiles"],
                ["warning", href("/traces", { service: name, status: "error" }), "Failed traces"],
            ].map(([mark, address, title]) =>
                link(address, { class: "button", "data-testid": `to-${title.toLowerCase().replace(" ", "-")}` }, [
                    icon(mark),
                    title,
                ]),
            ),
        );

    /** @param {api.Service | { missing: boolean }} service */
    function figures(service) {
        if (!("name" in service) || service.p50 === null || service.p50 === undefined) return null;
        const one = (/** @type {string} */ title, /** @type {string} */ value, /** @type {string} */ tone = "") =>
            h("div", { class: "figure" }, [
                h("span", { class: "muted" }, title),
                h("b", { class: ["number", tone] }, value),
            ]);
        return h("div", { class: "figures", "aria-label": "Over this range, from its traces" }, [
            one("Requests", `${number(service.spanRate)}/s`),
            one("Errors", percent(service.errorRatio), service.errorRatio >= 0.05 ? "bad" : ""),
            one("p50", duration(service.p50)),
            one("p95", duration(service.p95 ?? NaN)),
            one("p99", duration(service.p99 ?? NaN)),
        ]);
    }

    /** @param {api.TraceSummary[]} list @param {number} top @param {boolean} isFailed */
    const traceList = (list, top, isFailed) =>
        h(
            "ul",
            { class: "trace-lines" },
            list.map((trace) =>
                h("li", { key: trace.traceID }, [
                    link(href(tracePath(trace.traceID)), { class: "trace-line" }, [
                        h("span", {
                            class: "service-mark",
                            style: { background: serviceColour(rootOf(trace).service) },
                        }),
                        h("span", { class: "clip grow" }, rootOf(trace).name),
                        h("span", { class: "faint nowrap" }, ago(Number(trace.startTimeUnixNano) / 1e6)),
                        h("span", { class: "bar" }, [
                            h("i", {
                                class: { bad: isFailed },
                                style: { width: `${Math.max(2, (trace.durationMs / Math.max(1, top)) * 100)}%` },
                            }),
                        ]),
                        h("span", { class: "number duration" }, duration(trace.durationMs / 1000)),
                    ]),
                ]),
            ),
        );

    /** @param {Noteworthy} value */
    function traces(value) {
        const top = Math.max(
            1,
            ...value.failed.map((trace) => trace.durationMs),
            ...value.slow.map((trace) => trace.durationMs),
        );
        return h("div", { class: "columns" }, [
            panel(
                { title: "Failed traces", hint: "the newest", testid: "failed-traces" },
                value.failed.length === 0
                    ? empty({ title: "No failed request in this range", compact: true })
                    : traceList(value.failed, top, true),
            ),
            panel(
                { title: "Slow traces", hint: `longer than ${duration(value.limit)}`, testid: "slow-traces" },
                value.slow.length === 0
                    ? empty({ title: "No request that slow in this range", compact: true })
                    : traceList(value.slow, top, false),
            ),
        ]);
    }

    return () => [
        h("div", { class: "row wrap service-head" }, [
            ways(),
            h("div", { class: "grow" }),
            summary.data.value ? figures(summary.data.value) : null,
            h(
                "button",
                {
                    type: "button",
                    class: "button quiet small icon",
                    title: "Panels back to where they were",
                    "aria-label": "Reset the layout",
                    onClick: () => {
                        forgetLayout(layoutName);
                        layoutVersion.value += 1;
                    },
                },
                [icon("reset")],
            ),
        ]),
        show(found, {
            loading: () =>
                h("div", { class: "columns" }, [
                    loading({ height: 250 }),
                    loading({ height: 250 }),
                    loading({ height: 250 }),
                    loading({ height: 250 }),
                ]),
            empty: ({ metrics }) =>
                metrics.size > 0
                    ? null
                    : h("div", { class: "panel" }, [
                          empty({
                              title: `${name} has no metrics in this range`,
                              icon: "status",
                              text: "Its traces, logs and profiles are behind the buttons above. For latency, status codes and memory let Apus scrape it:",
                              snippet: `# prometheus.yml, named in apus.yaml\nscrape_configs:\n  - job_name: ${name}\n    static_configs: [{targets: ['127.0.0.1:8080']}]`,
                          }),
                      ]),
            content: ({ selector, metrics }) =>
                h(Grid, {
                    key: `${selector} ${layoutVersion.value}`,
                    name: layoutName,
                    cells: panels,
                    content: (/** @type {string} */ id) => {
                        const spec = panels.find((one) => one.id === id);
                        return spec ? h(ServicePanel, { spec, service: name, selector, metrics }) : null;
                    },
                }),
        }),
        show(noteworthy, { compact: true, loading: () => loading({ height: 120 }), content: traces }),
    ];
});
