import { h } from "vue";
import * as api from "../api.js";
import { heatMap, readBuckets } from "../charts/heatmap.js";
import { statusColour } from "../charts/palette.js";
import { component } from "../component.js";
import { Chart } from "../components/chart.js";
import { panel } from "../components/panel.js";
import { empty, show } from "../components/states.js";
import { TimeChart } from "../components/time-chart.js";
import { icon } from "../icons.js";
import { link } from "../link.js";
import { seriesName } from "../model/panels.js";
import { resource } from "../resource.js";
import { go, href } from "../router.js";
import { aligned, rateRange, stepFor } from "../time.js";

/** @typedef {import("../charts/timeseries.js").Line} Line */
/** @typedef {{ lines: Line[], series: api.Series[], marks: api.Exemplar[], step: number, span: import("../time.js").Span, queries: string[] }} PanelData */

/**
 * One panel of a service's page.
 *
 * @typedef {object} ServicePanelProps
 * @property {import("../model/panels.js").PanelSpec} spec
 * @property {string} service
 * @property {string} selector
 * @property {Set<string>} metrics
 */
export const ServicePanel = component(
    "ServicePanel",
    /** @type {(keyof ServicePanelProps)[]} */ (["spec", "service", "selector", "metrics"]),
    (/** @type {ServicePanelProps} */ props) => {
        const { spec } = props;

        /** @param {AbortSignal} signal @param {import("../time.js").Span} range @returns {Promise<PanelData>} */
        async function load(signal, range) {
            const step = stepFor(range, spec.look === "heatmap" ? 90 : 150);
            const asks = spec.asks({ selector: props.selector, metrics: props.metrics, window: rateRange(step) });
            const within = aligned(range, step);
            const answers = await Promise.all(asks.map((ask) => api.queryRange(ask.query, within, step, { signal })));
            // What never happened in the range only fills the legend.
            const isPile = spec.look === "stack" || spec.look === "status";
            const series = answers.flatMap((answer) => answer.series);
            const lines = answers.flatMap((answer, index) =>
                answer.series
                    .filter((one) => one.points.some(([, value]) => Number.isFinite(value) && (value !== 0 || !isPile)))
                    .map((one) => {
                        const name = asks[index].name ?? seriesName(one.labels, asks[index].legend);
                        return /** @type {Line} */ ({ name, points: one.points });
                    }),
            );
            if (!asks.some((ask) => ask.name)) lines.sort((a, b) => (a.name < b.name ? -1 : 1));
            if (spec.look === "status")
                lines.forEach((line, index) => {
                    line.paint = () =>
                        statusColour(
                            line.name,
                            lines.slice(0, index).filter((other) => other.name[0] === line.name[0]).length,
                        );
                });
            return {
                lines,
                series,
                marks: spec.id === "latency" ? await exemplars(asks, range, signal) : [],
                step,
                span: range,
                queries: asks.map((ask) => ask.query),
            };
        }

        /**
         * @param {import("../model/panels.js").Ask[]} asks
         * @param {import("../time.js").Span} range
         * @param {AbortSignal} signal
         */
        async function exemplars(asks, range, signal) {
            const buckets = /\((\w+_bucket\{[^}]*\})/.exec(asks[0]?.query ?? "")?.[1];
            if (!buckets) return [];
            try {
                const all = await api.exemplars(buckets, range, { signal });
                // The slowest of each moment tells the most; more would cover the lines.
                const width = (range.end - range.start) / 40;
                /** @type {Map<number, api.Exemplar>} */
                const slowest = new Map();
                for (const exemplar of all) {
                    const moment = Math.floor(exemplar.time / width);
                    if ((slowest.get(moment)?.value ?? -1) < exemplar.value) slowest.set(moment, exemplar);
                }
                return [...slowest.values()];
            } catch (error) {
                if (signal.aborted) throw error;
                return [];
            }
        }

        const data = resource(load, () => [props.selector, props.metrics.size]);

        /** @param {number} time @param {number} width @param {Record<string, string | undefined>} [more] */
        const openTraces = (time, width, more = {}) =>
            go(
                href("/traces", {
                    service: props.service,
                    from: Math.round(time - width),
                    to: Math.round(time + width),
                    ...more,
                }),
            );

        /** @param {PanelData} value */
        function content(value) {
            if (spec.look === "heatmap") {
                const heat = readBuckets(value.series, aligned(value.span, value.step), value.step);
                return h(Chart, {
                    label: `${spec.title} of ${props.service}`,
                    version: value,
                    option: () => heatMap(heat, value.step),
                    onPick: (/** @type {any} */ event) => {
                        const [column, row] = event.value;
                        const upper = heat.bounds[row];
                        openTraces(heat.times[column], Math.max(30e3, value.step * 1000), {
                            min: row > 0 ? `${heat.bounds[row - 1] * 1000}ms` : undefined,
                            max: upper === Infinity ? undefined : `${upper * 1000}ms`,
                        });
                    },
                });
            }
            return h(TimeChart, {
                lines: value.lines,
                span: value.span,
                step: value.step,
                unit: spec.unit,
                label: `${spec.title} of ${props.service}`,
                marks: value.marks,
                look: spec.look === "status" ? "stack" : spec.look,
                noLegend: value.lines.length === 1 && spec.look === "area",
                onTime: spec.hasTraces
                    ? (/** @type {number} */ time) => openTraces(time, Math.max(30e3, value.step * 2000))
                    : undefined,
            });
        }

        return () =>
            panel(
                {
                    title: spec.title,
                    hint: spec.hint,
                    testid: `panel-${spec.id}`,
                    tools:
                        data.data.value && data.data.value.queries.length > 0
                            ? link(
                                  href("/explore", { lang: "promql", q: data.data.value.queries[0] }),
                                  {
                                      class: "button quiet small icon",
                                      title: "Open in Explore",
                                      "aria-label": `${spec.title} in Explore`,
                                  },
                                  [icon("out")],
                              )
                            : null,
                },
                show(data, {
                    compact: true,
                    empty: (value) =>
                        value.queries.length === 0
                            ? empty({ title: "Not measured", text: spec.missing, compact: true })
                            : value.lines.length === 0
                              ? empty({
                                    title: "Nothing in this range",
                                    text: "Choose a wider range of time, or wait for the next scrapes.",
                                    compact: true,
                                })
                              : null,
                    content,
                }),
            );
    },
);
