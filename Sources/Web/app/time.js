// Points and ranges of time as they stand in the URL: `now-15m`, milliseconds since the epoch, or ISO 8601.

/** @typedef {{ start: number, end: number }} Span milliseconds since the epoch */

const units = /** @type {Record<string, number>} */ ({ s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 });

/** The ranges of the picker. */
export const presets = [
    ["now-5m", "Last 5 minutes"],
    ["now-15m", "Last 15 minutes"],
    ["now-30m", "Last 30 minutes"],
    ["now-1h", "Last hour"],
    ["now-3h", "Last 3 hours"],
    ["now-6h", "Last 6 hours"],
    ["now-12h", "Last 12 hours"],
    ["now-24h", "Last 24 hours"],
    ["now-2d", "Last 2 days"],
    ["now-7d", "Last 7 days"],
    ["now-30d", "Last 30 days"],
];

/**
 * @param {string} text
 * @param {number} now
 * @returns {number | null} null where the text is no time
 */
export function parseTime(text, now) {
    const trimmed = text.trim();
    if (trimmed === "now") return now;
    const relative = /^now-(\d+)([smhdw])$/.exec(trimmed);
    if (relative) return now - Number(relative[1]) * units[relative[2]];
    if (/^\d{9,11}$/.test(trimmed)) return Number(trimmed) * 1000;
    if (/^\d{12,14}$/.test(trimmed)) return Number(trimmed);
    if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return null;
    const time = Date.parse(trimmed.replace(/^(\d{4}-\d{2}-\d{2}) (\d)/, "$1T$2"));
    return Number.isNaN(time) ? null : time;
}

/**
 * @param {string} from
 * @param {string} to
 * @param {number} now
 * @returns {Span} the last hour where one of them is no time
 */
export function resolve(from, to, now) {
    const start = parseTime(from, now);
    const end = parseTime(to, now);
    if (start === null || end === null) return { start: now - 3600e3, end: now };
    return start < end ? { start, end } : { start: end, end: Math.max(start, end + 1000) };
}

/**
 * @param {string} from
 * @param {string} to
 * @param {(milliseconds: number) => string} format for absolute times
 */
export function describe(from, to, format) {
    if (to === "now") {
        const preset = presets.find(([value]) => value === from);
        if (preset) return preset[1];
        const relative = /^now-(\d+)([smhdw])$/.exec(from);
        if (relative) return `Last ${relative[1]} ${relative[2]}`;
    }
    const text = [from, to].map((value) => {
        const time = /^\d+$/.test(value) ? parseTime(value, 0) : null;
        return time === null ? value : format(time);
    });
    // The day once, where both ends lie on the same.
    if (text[0].slice(0, 10) === text[1].slice(0, 10) && /^\d{4}-/.test(text[0]))
        return `${text[0]} – ${text[1].slice(11)}`;
    return text.join(" – ");
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800];

/**
 * The step of a chart in seconds: a round number that gives about `points` points.
 *
 * @param {Span} span
 * @param {number} [points]
 */
export function stepFor(span, points = 160) {
    const wanted = (span.end - span.start) / 1000 / points;
    return steps.find((step) => step >= wanted) ?? steps[steps.length - 1];
}

/**
 * The range of `rate()` that suits a step: at least four scrapes of a usual interval, so that no step falls between two samples.
 *
 * @param {number} step seconds
 */
export function rateRange(step) {
    const seconds = Math.max(60, step * 2);
    return seconds % 3600 === 0 ? `${seconds / 3600}h` : seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/**
 * The span moved to whole steps, so that refreshing moves points little.
 *
 * @param {Span} span
 * @param {number} step seconds
 */
export function aligned(span, step) {
    const unit = step * 1000;
    return { start: Math.floor(span.start / unit) * unit, end: Math.floor(span.end / unit) * unit };
}

/**
 * Twice as wide, around the same middle, never beyond `now`.
 *
 * @param {Span} span
 * @param {number} now
 */
export function widened(span, now) {
    const half = span.end - span.start;
    const middle = (span.start + span.end) / 2;
    const end = Math.min(now, middle + half);
    return { start: Math.round(end - 2 * half), end: Math.round(end) };
}

/** @param {string} text a duration as people type it: 250ms, 1.5s, 2m @returns {number | null} seconds */
export function parseDuration(text) {
    const match = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|m|h)?\s*$/.exec(text);
    if (!match) return null;
    const unit = /** @type {Record<string, number>} */ ({
        ns: 1e-9,
        us: 1e-6,
        µs: 1e-6,
        ms: 1e-3,
        s: 1,
        m: 60,
        h: 3600,
    })[match[2] ?? "ms"];
    return Number(match[1]) * unit;
}
