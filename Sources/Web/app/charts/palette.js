// The colours of charts, read from the style sheet so that there is one place for them.
import { isDark } from "../theme.js";

/** @type {Map<string, string>} */
const cache = new Map();
let cachedFor = isDark.value;

/** @param {string} name of a custom property, without the dashes */
export function colour(name) {
    if (cachedFor !== isDark.value) {
        cache.clear();
        cachedFor = isDark.value;
    }
    let value = cache.get(name);
    if (value === undefined) {
        value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
        cache.set(name, value);
    }
    return value;
}

/**
 * The colour of the n-th series.
 *
 * @param {number} index
 */
export const seriesColour = (index) => colour(`c${index % 10}`);

/** @type {Map<string, number>} */
const serviceIndexes = new Map();

/**
 * A service's own colour, the same wherever it is shown: by its name, with a step aside where two would share one.
 *
 * @param {string} name
 */
export function serviceColour(name) {
    let index = serviceIndexes.get(name);
    if (index === undefined) {
        let hash = 7;
        for (const character of name) hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
        const taken = new Set(serviceIndexes.values());
        index = hash % 10;
        for (let step = 0; step < 10 && taken.has(index); step += 1) index = (index + 3) % 10;
        serviceIndexes.set(name, index);
    }
    return seriesColour(index);
}

const classColours = /** @type {Record<string, string>} */ ({
    1: "c5",
    2: "c1",
    3: "c4",
    4: "level-warn",
    5: "level-error",
});

/**
 * The colour of a status code: of its class, and paler for each further code of the class.
 *
 * @param {string} code
 * @param {number} further how many codes of its class stand before it
 */
export function statusColour(code, further) {
    return mixed(colour(classColours[code[0]] ?? "faint"), colour("surface"), Math.min(0.6, further * 0.3));
}

/**
 * @param {string} first `#rrggbb`
 * @param {string} second
 * @param {number} share of the second
 */
function mixed(first, second, share) {
    const parts = [1, 3, 5].map((at) => {
        const [a, b] = [first, second].map((text) => parseInt(text.slice(at, at + 2), 16));
        return Math.round(a + (b - a) * share)
            .toString(16)
            .padStart(2, "0");
    });
    return `#${parts.join("")}`;
}
