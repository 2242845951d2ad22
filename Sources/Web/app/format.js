// Numbers, units and times as people read them. Nothing here touches the page.

/** @typedef {"s" | "ms" | "ns" | "bytes" | "bytes/s" | "ratio" | "/s" | "count" | "cores" | "none"} Unit */

/**
 * A number with three significant digits, without exponents for what fits a screen: 0.00123, 12.3, 1 234, 12.3k, 4.5M.
 *
 * @param {number} value
 */
export function number(value) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 1e-6) return value.toExponential(1);
    if (size < 9999.5) return trim(value.toPrecision(size >= 999.5 ? 4 : 3));
    for (const [limit, suffix] of /** @type {[number, string][]} */ ([
        [999.5e3, "k"],
        [999.5e6, "M"],
        [999.5e9, "G"],
        [Infinity, "T"],
    ])) {
        if (size < limit) {
            const factor = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[suffix] ?? 1;
            return trim((value / factor).toPrecision(3)) + suffix;
        }
    }
    return String(value);
}

/** @param {string} digits as of toPrecision; loses the zeros after the point. */
function trim(digits) {
    if (digits.includes("e")) return String(Number(digits));
    return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

/**
 * A duration: 0 s, 870 ns, 12.3 µs, 4.5 ms, 1.25 s, 3 m 20 s, 2 h 5 m, 3 d 4 h.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
    if (!Number.isFinite(seconds)) return "–";
    const size = Math.abs(seconds);
    if (size === 0) return "0 s";
    if (size < 999.5e-9) return trim((seconds * 1e9).toPrecision(3)) + " ns";
    if (size < 999.5e-6) return trim((seconds * 1e6).toPrecision(3)) + " µs";
    if (size < 0.9995) return trim((seconds * 1e3).toPrecision(3)) + " ms";
    if (size < 59.95) return trim(seconds.toPrecision(3)) + " s";
    const whole = Math.round(size);
    const sign = seconds < 0 ? "-" : "";
    /** @param {number} amount @param {string} unit */
    const rest = (amount, unit) => (amount > 0 ? ` ${amount} ${unit}` : "");
    if (whole < 3600) return `${sign}${Math.floor(whole / 60)} m${rest(whole % 60, "s")}`;
    if (whole < 86400) return `${sign}${Math.floor(whole / 3600)} h${rest(Math.floor((whole % 3600) / 60), "m")}`;
    return `${sign}${Math.floor(whole / 86400)} d${rest(Math.floor((whole % 86400) / 3600), "h")}`;
}

/** @param {number} count bytes, in units of 1024 */
export function bytes(count) {
    if (!Number.isFinite(count)) return "–";
    let value = count;
    for (const unit of ["B", "KiB", "MiB", "GiB", "TiB"]) {
        if (Math.abs(value) < 1023.5 || unit === "TiB")
            return `${trim(value.toPrecision(Math.abs(value) >= 999.5 ? 4 : 3))} ${unit}`;
        value /= 1024;
    }
    return `${value} B`;
}

/** @param {number} ratio 0…1 */
export function percent(ratio) {
    if (!Number.isFinite(ratio)) return "–";
    const value = ratio * 100;
    if (value === 0) return "0 %";
    if (Math.abs(value) < 0.01) return "< 0.01 %";
    return `${trim(value.toPrecision(value >= 99.95 ? 4 : value >= 10 ? 3 : 2))} %`;
}

/**
 * @param {number | null | undefined} value
 * @param {Unit} unit
 */
export function withUnit(value, unit) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    switch (unit) {
        case "s":
            return duration(value);
        case "ms":
            return duration(value / 1e3);
        case "ns":
            return duration(value / 1e9);
        case "bytes":
            return bytes(value);
        case "bytes/s":
            return `${bytes(value)}/s`;
        case "ratio":
            return percent(value);
        case "/s":
            return `${number(value)}/s`;
        case "cores":
            return `${number(value)} cores`;
        default:
            return number(value);
    }
}

/**
 * The unit that a metric's name promises (Prometheus, "Metric and label naming"), for queries people type.
 *
 * @param {string} query
 * @returns {Unit}
 */
export function unitOf(query) {
    if (/^\s*(sum|avg|max|min)?[^(]*\(?\s*(rate|irate|increase)?.*_bytes/.test(query))
        return /rate\s*\(/.test(query) ? "bytes/s" : "bytes";
    if (
        /histogram_quantile|_seconds(?!_(count|bucket|total))/.test(query) &&
        !/_seconds_count|_seconds_total/.test(query)
    )
        return "s";
    if (/\brate\s*\(|\birate\s*\(/.test(query)) return /\/\s*(sum|rate|\()/.test(query) ? "none" : "/s";
    return "none";
}

const two = (/** @type {number} */ value) => String(value).padStart(2, "0");

/**
 * Local time of day.
 *
 * @param {number} milliseconds
 * @param {boolean} [fine] with milliseconds
 */
export function clock(milliseconds, fine = false) {
    const time = new Date(milliseconds);
    const text = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
    return fine ? `${text}.${String(time.getMilliseconds()).padStart(3, "0")}` : text;
}

/**
 * Local date.
 *
 * @param {number} milliseconds
 */
export function day(milliseconds) {
    const time = new Date(milliseconds);
    return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/**
 * Local date and time.
 *
 * @param {number} milliseconds
 * @param {boolean} [fine]
 */
export function dateTime(milliseconds, fine = false) {
    return `${day(milliseconds)} ${clock(milliseconds, fine)}`;
}

/**
 * "12 s ago".
 *
 * @param {number} milliseconds
 * @param {number} [now]
 */
export function ago(milliseconds, now = Date.now()) {
    const seconds = Math.max(0, Math.round((now - milliseconds) / 1000));
    if (seconds < 2) return "just now";
    return `${duration(seconds)} ago`;
}

/**
 * The label of a time axis: as much of the time as tells two ticks apart.
 *
 * @param {number} milliseconds
 * @param {number} span of the axis, milliseconds
 */
export function tick(milliseconds, span) {
    const time = new Date(milliseconds);
    if (span <= 15 * 60e3) return clock(milliseconds);
    if (span <= 36 * 3600e3) return `${two(time.getHours())}:${two(time.getMinutes())}`;
    if (span <= 6 * 86400e3)
        return `${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
    return `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** @param {string} text */
export function escapeHTML(text) {
    return text.replace(
        /[&<>"']/g,
        (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] ?? c,
    );
}

/** @param {number} count @param {string} noun @param {string} [plural] */
export function plural(count, noun, plural = `${noun}s`) {
    return `${count.toLocaleString("en-US")} ${count === 1 ? noun : plural}`;
}
