import { escapeHTML, dateTime, tick, withUnit } from "../format.js";
import { colour } from "./palette.js";

/** @typedef {import("../time.js").Span} Span */
/** @typedef {import("../format.js").Unit} Unit */

const font = '"Inter", "SF Pro Text", "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", system-ui, sans-serif';

/** @param {Span} span */
export function timeAxis(span) {
    return {
        type: "time",
        min: span.start,
        max: span.end,
        splitNumber: 5,
        axisLine: { show: true, lineStyle: { color: colour("line-strong") } },
        axisTick: { show: false },
        splitLine: { show: false },
        axisLabel: {
            color: colour("faint"),
            fontSize: 11,
            fontFamily: font,
            hideOverlap: true,
            margin: 8,
            showMinLabel: false,
            showMaxLabel: false,
            formatter: (/** @type {number} */ value) => tick(value, span.end - span.start),
        },
        axisPointer: { lineStyle: { color: colour("faint"), type: "dashed", width: 1 }, label: { show: false } },
    };
}

/** @param {Unit} unit @param {object} [more] */
export function valueAxis(unit, more = {}) {
    return {
        type: "value",
        splitNumber: 4,
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { lineStyle: { color: colour("grid"), width: 1 } },
        axisLabel: {
            color: colour("faint"),
            fontSize: 11,
            fontFamily: font,
            formatter: (/** @type {number} */ value) => withUnit(value, unit),
        },
        ...more,
    };
}

export const grid = { left: 60, right: 10, top: 10, bottom: 24, containLabel: false };

/** @param {object} [more] */
export function tooltip(more = {}) {
    return {
        trigger: "axis",
        className: "chart-tooltip",
        backgroundColor: colour("raised"),
        borderColor: colour("line"),
        borderWidth: 1,
        padding: [8, 10],
        textStyle: { color: colour("text"), fontSize: 12, fontFamily: font },
        confine: false,
        appendTo: "body",
        transitionDuration: 0.08,
        extraCssText: "box-shadow: var(--shadow-high); border-radius: 7px; z-index: 50;",
        ...more,
    };
}

/**
 * @param {number} time
 * @param {{ name: string, colour: string, value: string }[]} lines
 * @param {string} [foot]
 */
export function tooltipHTML(time, lines, foot = "") {
    const shown = lines
        .slice(0, 12)
        .map(
            (line) =>
                `<div class="line"><i class="swatch" style="background:${line.colour}"></i><span class="name">${escapeHTML(line.name)}</span><b>${escapeHTML(line.value)}</b></div>`,
        );
    const rest = lines.length > 12 ? `<div class="more">and ${lines.length - 12} more</div>` : "";
    return `<div class="when">${dateTime(time)}</div>${shown.join("")}${rest}${foot ? `<div class="more">${escapeHTML(foot)}</div>` : ""}`;
}
