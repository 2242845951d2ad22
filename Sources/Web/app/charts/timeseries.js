import { withUnit } from "../format.js";
import { grid, timeAxis, tooltip, tooltipHTML, valueAxis } from "./axes.js";
import { colour, seriesColour } from "./palette.js";

/** @typedef {import("../time.js").Span} Span */
/** @typedef {import("../format.js").Unit} Unit */
/** @typedef {{ name: string, points: [number, number][], paint?: () => string }} Line `paint` gives its colour in the theme of the moment */
/** @typedef {{ time: number, value: number, traceID: string }} Mark */

/**
 * A hole in the points becomes a hole in the line: a null where more than one step is missing.
 *
 * @param {[number, number][]} points @param {number} step milliseconds
 * @returns {[number, number | null][]}
 */
export function withGaps(points, step) {
    /** @type {[number, number | null][]} */
    const result = [];
    for (let index = 0; index < points.length; index += 1) {
        const [time, value] = points[index];
        if (index > 0 && time - points[index - 1][0] > step * 1.5) result.push([points[index - 1][0] + step, null]);
        result.push([time, Number.isFinite(value) ? value : null]);
    }
    return result;
}

/**
 * The same times in every line, as stacking needs it: ECharts piles up by index. What is missing counts as nothing; where all
 * miss more than a step, there is a hole.
 *
 * @param {Line[]} lines @param {number} step milliseconds
 * @returns {[number, number | null][][]}
 */
export function onOneGrid(lines, step) {
    const times = [...new Set(lines.flatMap((line) => line.points.map(([time]) => time)))].sort((a, b) => a - b);
    return lines.map((line) => {
        const values = new Map(line.points);
        /** @type {[number, number | null][]} */
        const filled = [];
        times.forEach((time, index) => {
            if (index > 0 && time - times[index - 1] > step * 1.5) filled.push([times[index - 1] + step, null]);
            const value = values.get(time) ?? 0;
            filled.push([time, Number.isFinite(value) ? value : 0]);
        });
        return filled;
    });
}

/**
 * The distance of ticks in bytes: a power of two, so that they stand at 8 MiB and not at 7.63.
 *
 * @param {Line[]} lines @param {[number, number | null][][]} piles @param {number} ticks
 */
function binaryInterval(lines, piles, ticks) {
    const own = Math.max(
        1,
        ...lines.map((line) => line.points.reduce((most, [, value]) => Math.max(most, value || 0), 0)),
    );
    const top = piles.length > 0 ? own * piles.length : own;
    return 2 ** Math.ceil(Math.log2(top / ticks));
}

/**
 * @param {object} input
 * @param {Line[]} input.lines
 * @param {Span} input.span
 * @param {number} input.step seconds
 * @param {Unit} input.unit
 * @param {"line" | "area" | "stack" | "bars"} [input.style]
 * @param {Set<string>} [input.hidden] names of lines
 * @param {Mark[]} [input.marks] exemplars: a click opens their trace
 * @param {number} [input.ticks] on the value axis
 */
export function timeSeries({ lines, span, step, unit, style = "line", hidden = new Set(), marks = [], ticks = 4 }) {
    const shown = lines
        .map((line, index) => ({ ...line, colour: line.paint?.() ?? seriesColour(index) }))
        .filter((line) => !hidden.has(line.name))
        .map((line) =>
            style === "bars" ? { ...line, points: line.points.filter(([time]) => time >= span.start) } : line,
        );
    const stacked = style === "stack" || style === "bars";
    // A bar stands around its time: the first and the last need room for their halves.
    const half = style === "bars" ? step * 500 : 0;
    const within = { start: span.start - half, end: span.end + half };
    const single = shown.length === 1;
    const piles = stacked ? onOneGrid(shown, step * 1000) : [];
    const series = /** @type {object[]} */ (
        shown.map((line, index) => ({
            type: style === "bars" ? "bar" : "line",
            name: line.name,
            data: stacked ? piles[index] : withGaps(line.points, step * 1000),
            color: line.colour,
            showSymbol: line.points.length < 3,
            symbolSize: 4,
            stack: stacked ? "all" : undefined,
            barCategoryGap: "12%",
            lineStyle: { width: stacked ? 1 : 1.6 },
            emphasis: { disabled: true },
            areaStyle:
                style === "stack"
                    ? { opacity: 0.75 }
                    : style === "area" || (single && style === "line")
                      ? { opacity: 0.12 }
                      : undefined,
            connectNulls: false,
            sampling: line.points.length > 2000 ? "lttb" : undefined,
            z: 2,
        }))
    );
    if (marks.length > 0) {
        series.push({
            type: "scatter",
            name: "exemplar",
            data: marks.map((mark) => ({ value: [mark.time, mark.value], traceID: mark.traceID })),
            symbol: "diamond",
            symbolSize: 8,
            z: 5,
            itemStyle: { color: colour("surface"), borderColor: colour("accent"), borderWidth: 1.5 },
            emphasis: { scale: 1.5 },
            cursor: "pointer",
            tooltip: {
                trigger: "item",
                formatter: (/** @type {any} */ item) =>
                    tooltipHTML(
                        item.value[0],
                        [
                            {
                                name: `trace ${item.data.traceID.slice(0, 8)}…`,
                                colour: colour("accent"),
                                value: withUnit(item.value[1], unit),
                            },
                        ],
                        "click to open the trace",
                    ),
            },
        });
    }
    return {
        animation: false,
        grid,
        xAxis: timeAxis(within),
        yAxis: valueAxis(unit, {
            splitNumber: ticks,
            interval: unit.startsWith("bytes") ? binaryInterval(shown, piles, ticks) : undefined,
            min: stacked
                ? 0
                : (/** @type {{ min: number, max: number }} */ extent) => (extent.min >= 0 ? 0 : extent.min),
        }),
        tooltip: tooltip({
            axisPointer: {
                type: style === "bars" ? "shadow" : "line",
                shadowStyle: { color: colour("hover"), opacity: 0.5 },
            },
            formatter: (/** @type {any[] | any} */ items) => {
                const list = (Array.isArray(items) ? items : [items]).filter(
                    (item) =>
                        item.seriesName !== "exemplar" &&
                        item.value?.[1] !== null &&
                        !(stacked && item.value?.[1] === 0),
                );
                if (list.length === 0) return "";
                const entries = list.map((item) => ({
                    name: item.seriesName,
                    colour: item.color,
                    number: item.value[1],
                    value: withUnit(item.value[1], unit),
                }));
                if (!stacked) entries.sort((a, b) => b.number - a.number);
                else entries.reverse();
                return tooltipHTML(list[0].value[0], entries);
            },
        }),
        series,
    };
}
