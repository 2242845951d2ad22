import { percent, withUnit } from "../format.js";
import { packageOf, shortName } from "../model/flame.js";
import { isDark } from "../theme.js";
import { colour } from "./palette.js";

/** @typedef {import("../model/flame.js").Frame} Frame */

export const rowHeight = 21;

/** @type {Map<string, number>} */
const hues = new Map();

/**
 * A hue for each package: warm, as a flame is, with the runtime set apart in grey-blue.
 *
 * @param {string} name
 * @param {boolean} dark
 */
function frameColour(name, dark) {
    const from = packageOf(name);
    if (/^(runtime|syscall|internal|sync|libc|libpthread|swift_|_?swift|\[unknown)/.test(from))
        return dark ? "hsl(222 18% 36%)" : "hsl(222 28% 80%)";
    let hue = hues.get(from);
    if (hue === undefined) {
        let hash = 5;
        for (const character of from) hash = (hash * 33 + character.charCodeAt(0)) >>> 0;
        hue = [28, 44, 14, 2, 52, 34, 20, 47, 8, 39][hash % 10];
        hues.set(from, hue);
    }
    return dark ? `hsl(${hue} 50% 39%)` : `hsl(${hue} 86% 77%)`;
}

/**
 * Draws the frames in sight. Frames narrower than half a pixel are left out: nobody sees them, and there are thousands.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {import("../model/flame.js").Flame} flame
 * @param {{ start: number, width: number, focus: Frame | null, hover: Frame | null, search: string, unit: import("../format.js").Unit }} view
 * @returns {number} the share of the profile below frames that match the search
 */
export function drawFlame(canvas, flame, { start, width, focus, hover, search, unit }) {
    const context = canvas.getContext("2d");
    if (!context) return 0;
    const scale = window.devicePixelRatio || 1;
    const pixels = canvas.clientWidth;
    const height = flame.levels.length * rowHeight;
    canvas.width = Math.round(pixels * scale);
    canvas.height = Math.round(height * scale);
    context.scale(scale, scale);
    context.font = `11.5px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    const dark = isDark.value;
    const wanted = search.trim().toLowerCase();
    const ink = dark ? "#f3f4f8" : "#1d1a16";
    const faded = colour("sunken");
    const fadedInk = colour("faint");
    const callers = new Set();
    for (let at = focus?.parent ?? null; at; at = at.parent) callers.add(at);
    let matched = 0;
    /** @type {Set<Frame>} */
    const matches = new Set();
    for (const frames of flame.levels) {
        for (const frame of frames) {
            const isMatch = wanted !== "" && frame.name.toLowerCase().includes(wanted);
            const isBelow = frame.parent !== null && matches.has(frame.parent);
            if (isMatch && !isBelow) matched += frame.total;
            if (isMatch || isBelow) matches.add(frame);
            const isCaller = callers.has(frame);
            const x = isCaller ? 0 : ((frame.start - start) / width) * pixels;
            const w = isCaller ? pixels : (frame.total / width) * pixels;
            if (w < 0.5 || x > pixels || x + w < 0) continue;
            const y = frame.level * rowHeight;
            const [left, right] = [Math.max(0, x), Math.min(pixels, x + w)];
            const isFaded = wanted !== "" && !isMatch;
            context.globalAlpha = isCaller ? 0.55 : 1;
            context.fillStyle = isFaded
                ? faded
                : frame.level === 0
                  ? colour("line-strong")
                  : frameColour(frame.name, dark);
            context.fillRect(left, y, Math.max(0.5, right - left - (w > 3 ? 1 : 0)), rowHeight - 1);
            if (frame === hover) {
                context.strokeStyle = colour("text");
                context.lineWidth = 1.5;
                context.strokeRect(left + 0.75, y + 0.75, Math.max(1, right - left - 2.5), rowHeight - 2.5);
            }
            if (right - left < 32) continue;
            context.fillStyle = isFaded ? fadedInk : ink;
            const text =
                frame.level === 0
                    ? `total  ${withUnit(frame.total, unit)}`
                    : right - left > 220
                      ? `${shortName(frame.name)}  ${percent(frame.total / flame.total)}`
                      : shortName(frame.name);
            context.save();
            context.beginPath();
            context.rect(left, y, right - left - 5, rowHeight);
            context.clip();
            context.fillText(fitted(context, text, right - left - 10), left + 5, y + rowHeight / 2);
            context.restore();
        }
    }
    context.globalAlpha = 1;
    return flame.total > 0 ? matched / flame.total : 0;
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
function fitted(context, text, width) {
    if (context.measureText(text).width <= width) return text;
    const count = Math.floor((text.length * width) / context.measureText(text).width) - 1;
    return count < 3 ? "" : `${text.slice(0, count)}…`;
}
