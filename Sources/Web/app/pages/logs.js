import { computed, h, shallowRef, watch } from "vue";
import * as api from "../api.js";
import { colour, serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { Editor } from "../components/editor.js";
import { LogRow } from "../components/log-row.js";
import { panel } from "../components/panel.js";
import { empty, failure, loading, show } from "../components/states.js";
import { TimeChart } from "../components/time-chart.js";
import { plural } from "../format.js";
import { setHead } from "../head.js";
import { icon } from "../icons.js";
import { problemPlace } from "../lang/place.js";
import { countByLevel, everything, levelIn, levelLabels, ofTrace, withLevel, withText } from "../model/log-query.js";
import { isMetricQuery, levelOf, levels, matcherValue, withMatcher } from "../model/logs.js";
import { seriesName } from "../model/panels.js";
import { logSelector } from "../model/service-label.js";
import { refresh, refreshSeconds } from "../range.js";
import { resource } from "../resource.js";
import { route, setQuery } from "../router.js";
import { aligned, stepFor } from "../time.js";

const pageSize = 300;
const limitMax = 5000;

const tail = `# apus.yaml: tail files…
logs:
  - files: [/var/log/myapp/*.log]
    labels: {service: myapp}

# …or push: any Loki client, or OpenTelemetry logs
curl http://127.0.0.1:2787/loki/api/v1/push -H 'Content-Type: application/json' \\
  -d '{"streams":[{"stream":{"service":"myapp"},"values":[["'$(date +%s%N)'","hello"]]}]}'`;

/** Log search: a query, its lines over time by level, and the lines. */
export const Logs = component("Logs", [], () => {
    setHead("Logs");
    const draft = shallowRef(route.query.q ?? "");
    const text = shallowRef("");
    const limit = shallowRef(pageSize);
    const labels = resource((signal, range) => api.lokiLabels(range, { signal }));

    // A link may name a service or a trace instead of a query: which label to ask is found here.
    const wanted = resource(
        async (signal, range) => {
            if (route.query.q) return route.query.q;
            const selector = route.query.service
                ? await logSelector(route.query.service, range, signal)
                : everything(await api.lokiLabels(range, { signal }));
            return route.query.trace ? ofTrace(selector, route.query.trace) : selector;
        },
        () => [route.query.q, route.query.service, route.query.trace],
    );
    const query = computed(() => wanted.data.value ?? "");
    watch(query, (value) => {
        if (value) draft.value = value;
    });
    watch(query, () => {
        limit.value = pageSize;
    });

    const lines = resource(
        (signal, range) =>
            query.value
                ? api.lokiRange(
                      query.value,
                      range,
                      isMetricQuery(query.value) ? { step: stepFor(range), signal } : { limit: limit.value, signal },
                  )
                : null,
        () => [query.value],
    );
    watch(limit, () => lines.reload());
    const counts = resource(
        async (signal, range) => {
            if (!query.value || isMetricQuery(query.value)) return { step: 1, span: range, lines: [], total: 0 };
            const step = stepFor(range, 80);
            const { answer } = await api.lokiRange(countByLevel(query.value, step), aligned(range, step), {
                step,
                signal,
            });
            /** @type {Map<string, Map<number, number>>} */
            const byLevel = new Map();
            for (const { labels: names, points } of answer?.series ?? []) {
                const level = levelOf(levelLabels.map((name) => names[name]).find(Boolean));
                const sums = byLevel.get(level) ?? new Map();
                for (const [time, value] of points) sums.set(time, (sums.get(time) ?? 0) + value);
                byLevel.set(level, sums);
            }
            const found = levels
                .filter((level) => byLevel.has(level))
                .map((level) => ({
                    name: level,
                    paint: () => colour(`level-${level}`),
                    points: /** @type {[number, number][]} */ (
                        [...(byLevel.get(level) ?? [])].sort((a, b) => a[0] - b[0])
                    ),
                }))
                .reverse();
            return {
                step,
                span: range,
                lines: found,
                total: found.reduce((sum, line) => sum + line.points.reduce((part, [, value]) => part + value, 0), 0),
            };
        },
        () => query.value,
    );

    /** @param {string} next */
    function run(next) {
        if (next.trim() === query.value.trim() && route.query.q) refresh();
        else setQuery({ q: next.trim() || null, service: null, trace: null });
    }
    const isLive = computed(() => refreshSeconds.value > 0 && (route.query.to ?? "now") === "now");

    /** The usual labels as menus; the others are one completion away in the box. */
    function filters() {
        const names = ["service", "service_name", "job", "namespace", "app", "filename"]
            .filter((name) => labels.data.value?.includes(name))
            .slice(0, 4);
        return h("div", { class: "row wrap", role: "group", "aria-label": "Filters" }, [
            names.map((name) =>
                h(LabelMenu, {
                    key: name,
                    name,
                    value: matcherValue(query.value, name),
                    onChoose: (/** @type {string} */ value) =>
                        run(
                            value || /\{[^}]*,/.test(query.value)
                                ? withMatcher(query.value, name, value)
                                : everything(labels.data.value ?? []),
                        ),
                }),
            ),
            h("label", { class: "field" }, [
                h("span", { class: "name" }, "level"),
                h(
                    "select",
                    {
                        "aria-label": "Level",
                        value: levelIn(query.value),
                        onChange: (/** @type {any} */ event) => run(withLevel(query.value, event.target.value)),
                    },
                    [
                        ["", "any"],
                        ["(?i)(fatal|panic|crit.*|err.*)", "error"],
                        ["(?i)(fatal|panic|crit.*|err.*|warn.*)", "warn and worse"],
                        ["(?i)info", "info"],
                        ["(?i)(debug|trace)", "debug"],
                    ].map(([value, title]) => h("option", { value }, title)),
                ),
            ]),
            h(
                "form",
                {
                    class: "field grow",
                    style: { maxWidth: "320px" },
                    onSubmit: (/** @type {Event} */ event) => {
                        event.preventDefault();
                        if (text.value) run(withText(query.value, text.value));
                        text.value = "";
                    },
                },
                [
                    icon("search"),
                    h("input", {
                        placeholder: "Lines that contain…",
                        "aria-label": "Lines that contain",
                        value: text.value,
                        onInput: (/** @type {any} */ event) => {
                            text.value = event.target.value;
                        },
                    }),
                ],
            ),
        ]);
    }

    /** @param {Awaited<ReturnType<typeof api.lokiRange>>} found */
    function list(found) {
        if (found.answer) {
            const step = stepFor(counts.data.value?.span ?? { start: 0, end: 3600e3 });
            return panel(
                { title: "Result" },
                h("div", { class: "chart-box" }, [
                    h(TimeChart, {
                        lines: found.answer.series.map((one) => ({ name: seriesName(one.labels), points: one.points })),
                        span: counts.data.value?.span ?? { start: 0, end: 1 },
                        step,
                        unit: "none",
                        label: "Result of the query",
                    }),
                ]),
            );
        }
        return h("section", { class: "panel flush", "aria-label": "Log lines" }, [
            h(
                "div",
                { class: "log-list", role: "list", "data-testid": "log-lines" },
                found.entries.map((entry) =>
                    h(LogRow, {
                        key: `${entry.nanoseconds}${entry.line.length}${JSON.stringify(entry.labels)}${entry.line.slice(0, 200)}`,
                        entry,
                        query: query.value,
                        onQuery: run,
                    }),
                ),
            ),
            h("div", { class: "log-foot" }, [
                h("span", { class: "muted" }, `${plural(found.entries.length, "line")} shown, newest first`),
                found.entries.length >= limit.value && limit.value < limitMax
                    ? h(
                          "button",
                          {
                              type: "button",
                              class: "button small",
                              onClick: () => {
                                  limit.value = Math.min(limitMax, limit.value + 500);
                              },
                          },
                          lines.loading.value ? "Loading…" : "Load more",
                      )
                    : null,
            ]),
        ]);
    }

    const problem = computed(() => (lines.error.value ? problemPlace(lines.error.value.message, query.value) : null));

    return () => [
        h("div", { class: "query-bar" }, [
            h(Editor, {
                value: draft.value,
                language: "logql",
                label: "LogQL query",
                hint: '{service="orders"} |= "error"',
                singleLine: true,
                problem: problem.value,
                onChange: (/** @type {string} */ value) => {
                    draft.value = value;
                },
                onRun: run,
            }),
            h("button", { type: "button", class: "button primary", onClick: () => run(draft.value) }, [
                icon("play"),
                "Run",
            ]),
            h(
                "button",
                {
                    type: "button",
                    class: "button",
                    "aria-pressed": String(isLive.value),
                    title: "Load new lines every 5 seconds",
                    onClick: () =>
                        setQuery(
                            isLive.value
                                ? { refresh: null }
                                : {
                                      refresh: "5s",
                                      to: "now",
                                      from: (route.query.from ?? "now").startsWith("now")
                                          ? route.query.from
                                          : "now-15m",
                                  },
                        ),
                },
                [icon("live"), "Live"],
            ),
        ]),
        filters(),
        query.value && !isMetricQuery(query.value)
            ? panel(
                  {
                      title: "Lines over time",
                      hint: counts.data.value ? `${plural(Math.round(counts.data.value.total), "line")}` : null,
                      testid: "log-histogram",
                  },
                  h("div", { class: "chart-box short" }, [
                      show(counts, {
                          compact: true,
                          loading: () => loading({ height: 100 }),
                          empty: (value) =>
                              value.lines.length > 0 ? null : empty({ title: "No line in this range", compact: true }),
                          content: (value) =>
                              h(TimeChart, {
                                  lines: value.lines,
                                  span: value.span,
                                  step: value.step,
                                  unit: "count",
                                  look: "bars",
                                  ticks: 2,
                                  label: "Log lines by level over time",
                              }),
                      }),
                  ]),
              )
            : null,
        wanted.error.value
            ? failure(wanted.error.value, wanted.reload)
            : show(lines, {
                  loading: () => loading({ height: 320 }),
                  empty: (found) =>
                      found.answer || found.entries.length > 0
                          ? null
                          : h("div", { class: "panel" }, [
                                labels.data.value && labels.data.value.length === 0
                                    ? empty({
                                          title: "No logs have arrived in this range",
                                          text: "Let Apus tail files, or send it lines:",
                                          snippet: tail,
                                          icon: "logs",
                                      })
                                    : empty({
                                          title: "No line matches",
                                          text: "Choose a wider range of time, or take a filter away.",
                                          icon: "search",
                                      }),
                            ]),
                  content: list,
              }),
    ];
});

/** The values of one label to choose from. */
const LabelMenu = component(
    "LabelMenu",
    /** @type {("name" | "value" | "onChoose")[]} */ (["name", "value", "onChoose"]),
    (/** @type {{ name: string, value: string, onChoose: (value: string) => void }} */ props) => {
        const values = resource((signal, range) => api.lokiLabelValues(props.name, range, { signal }));
        return () =>
            h("label", { class: "field" }, [
                props.name.startsWith("service") && props.value
                    ? h("span", { class: "dot", style: { background: serviceColour(props.value) } })
                    : null,
                h("span", { class: "name" }, props.name),
                h(
                    "select",
                    {
                        "aria-label": props.name,
                        value: props.value,
                        style: { maxWidth: "200px" },
                        onChange: (/** @type {any} */ event) => props.onChoose(event.target.value),
                    },
                    [
                        h("option", { value: "" }, "any"),
                        [...new Set([...(props.value ? [props.value] : []), ...(values.data.value ?? [])])]
                            .sort()
                            .map((value) => h("option", { key: value, value, selected: value === props.value }, value)),
                    ],
                ),
            ]);
    },
);
