import { h, shallowRef } from "vue";
import { seriesColour } from "../charts/palette.js";
import { timeSeries } from "../charts/timeseries.js";
import { component } from "../component.js";
import { withUnit } from "../format.js";
import { go, href, tracePath } from "../router.js";
import { Chart } from "./chart.js";

/**
 * Lines over time with a legend whose entries switch lines off and on (with Ctrl or ⌘: all others).
 *
 * @typedef {object} TimeChartProps
 * @property {import("../charts/timeseries.js").Line[]} lines
 * @property {import("../time.js").Span} span
 * @property {number} step seconds
 * @property {import("../format.js").Unit} unit
 * @property {string} label
 * @property {"line" | "area" | "stack" | "bars"} [look]
 * @property {import("../charts/timeseries.js").Mark[]} [marks]
 * @property {boolean} [noLegend]
 * @property {number} [ticks] on the value axis
 * @property {(event: any) => void} [onPick]
 * @property {(time: number) => void} [onTime] a click at a time
 */
export const TimeChart = component(
    "TimeChart",
    /** @type {(keyof TimeChartProps)[]} */ ([
        "lines",
        "span",
        "step",
        "unit",
        "label",
        "look",
        "marks",
        "noLegend",
        "ticks",
        "onPick",
        "onTime",
    ]),
    (/** @type {TimeChartProps} */ props) => {
        const hidden = shallowRef(/** @type {Set<string>} */ (new Set()));

        /** @param {string} name @param {MouseEvent} event */
        function toggle(name, event) {
            const next = new Set(hidden.value);
            if (event.ctrlKey || event.metaKey) {
                const others = props.lines.map((line) => line.name).filter((other) => other !== name);
                const alone = others.every((other) => next.has(other)) && !next.has(name);
                next.clear();
                if (!alone) for (const other of others) next.add(other);
            } else if (!next.delete(name)) {
                next.add(name);
            }
            hidden.value = next;
        }

        /** @param {any} event */
        function pick(event) {
            if (event.data?.traceID) go(href(tracePath(event.data.traceID)));
            else props.onPick?.(event);
        }

        return () => [
            h(Chart, {
                label: props.label,
                zooms: true,
                version: [props.lines, props.marks, hidden.value, props.look, props.unit],
                onPick: pick,
                onTime: props.onTime ?? null,
                option: () =>
                    timeSeries({
                        lines: props.lines,
                        span: props.span,
                        step: props.step,
                        unit: props.unit,
                        style: props.look,
                        marks: props.marks,
                        hidden: hidden.value,
                        ticks: props.ticks,
                    }),
            }),
            props.noLegend
                ? null
                : h(
                      "div",
                      { class: "legend" },
                      props.lines.slice(0, 60).map((line, index) => {
                          const last = line.points[line.points.length - 1]?.[1];
                          return h(
                              "button",
                              {
                                  key: line.name,
                                  type: "button",
                                  class: { off: hidden.value.has(line.name) },
                                  "aria-pressed": String(!hidden.value.has(line.name)),
                                  title: line.name,
                                  onClick: (/** @type {MouseEvent} */ event) => toggle(line.name, event),
                              },
                              [
                                  h("span", {
                                      class: "swatch",
                                      style: { background: line.paint?.() ?? seriesColour(index) },
                                  }),
                                  h("span", { class: "clip" }, line.name),
                                  h("span", { class: "value" }, withUnit(last, props.unit)),
                              ],
                          );
                      }),
                  ),
        ];
    },
);
