import { dateTime, duration, number, tick } from "../format.js";
import { stepFor } from "../time.js";
import { grid, tooltip } from "./axes.js";
import { colour } from "./palette.js";

/** @typedef {import("../api.js").Series} Series */
/**
 * @typedef {object} Heat
 * @property {number[]} times of the columns, milliseconds
 * @property {number[]} bounds upper bounds of the rows, seconds, ascending; the last may be Infinity
 * @property {[number, number, number][]} cells column, row, requests per second
 * @property {number} top the largest cell
 */

/**
 * Cumulative bucket rates (one series an `le`) to the cells of a heat map: what each bucket holds by itself.
 *
 * @param {Series[]} series
 * @param {import("../time.js").Span} span on whole steps
 * @param {number} step seconds
 * @returns {Heat}
 */
export function readBuckets(series, span, step) {
    const rows = series
        .map((one) => ({
            bound: one.labels.le === "+Inf" ? Infinity : Number(one.labels.le),
            points: new Map(one.points),
        }))
        .filter((row) => !Number.isNaN(row.bound))
        .sort((a, b) => a.bound - b.bound);
    /** @type {number[]} */
    const times = [];
    for (let time = span.start; time <= span.end; time += step * 1000) times.push(time);
    /** @type {[number, number, number][]} */
    let cells = [];
    times.forEach((time, column) => {
        let below = 0;
        rows.forEach((row, index) => {
            const cumulative = row.points.get(time) ?? below;
            const value = cumulative - below;
            if (value > 1e-9) cells.push([column, index, value]);
            if (cumulative > below) below = cumulative;
        });
    });
    // Rows that nothing ever fell into, at both ends, only take room.
    const used = cells.map(([, row]) => row);
    const first = Math.max(0, Math.min(...used, rows.length) - 1);
    const last = Math.min(rows.length - 1, Math.max(...used, 0) + 1);
    cells = cells.map(([column, row, value]) => [column, row - first, value]);
    return {
        times,
        bounds: rows.slice(first, last + 1).map((row) => row.bound),
        cells,
        top: Math.max(0, ...cells.map(([, , value]) => value)),
    };
}

/** @param {Heat} heat @param {number} step seconds */
export function heatMap(heat, step) {
    const width = heat.times.length > 1 ? heat.times[heat.times.length - 1] - heat.times[0] : 60e3;
    // Round times only, whatever the columns' step.
    const every = (stepFor({ start: 0, end: width }, 7) || 60) * 1000;
    const bound = (/** @type {number} */ value) => (value === Infinity ? "+Inf" : duration(value));
    return {
        animation: false,
        grid,
        xAxis: {
            type: "category",
            data: heat.times,
            axisTick: { show: false },
            axisLine: { lineStyle: { color: colour("line-strong") } },
            axisLabel: {
                color: colour("faint"),
                fontSize: 11,
                interval: (/** @type {number} */ index) => heat.times[index] % every < step * 1000,
                formatter: (/** @type {string} */ value) => tick(Number(value), width),
                showMinLabel: false,
            },
        },
        yAxis: {
            type: "category",
            data: heat.bounds.map(bound),
            axisTick: { show: false },
            axisLine: { show: false },
            axisLabel: {
                color: colour("faint"),
                fontSize: 11,
                hideOverlap: true,
                formatter: (/** @type {string} */ value) => `≤ ${value}`,
            },
        },
        visualMap: {
            show: false,
            min: 0,
            max: Math.sqrt(heat.top) || 1,
            dimension: 2,
            inRange: { color: [colour("heat0"), colour("heat1"), colour("heat2"), colour("heat3"), colour("heat4")] },
        },
        tooltip: tooltip({
            trigger: "item",
            formatter: (/** @type {any} */ item) => {
                const [column, row, , value] = item.value;
                const lower = row > 0 ? duration(heat.bounds[row - 1]) : "0";
                return (
                    `<div class="when">${dateTime(heat.times[column])}</div><div class="line"><span class="name">${lower} – ${bound(heat.bounds[row])}</span><b>${number(value)}/s</b></div>` +
                    `<div class="more">about ${number(value * step)} requests; click for their traces</div>`
                );
            },
        }),
        // The root brings out the few slow requests beside the many fast ones.
        series: [
            {
                type: "heatmap",
                data: heat.cells.map(([column, row, value]) => [column, row, Math.sqrt(value), value]),
                progressive: 0,
                itemStyle: { borderWidth: 0.5, borderColor: colour("surface") },
                emphasis: { itemStyle: { borderColor: colour("text"), borderWidth: 1 } },
                cursor: "pointer",
            },
        ],
    };
}
