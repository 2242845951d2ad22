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

/**
 * The colour of a status code's class.
 *
 * @param {string} code
 */
export function statusColour(code) {
    switch (code[0]) {
        case "5": return colour("level-error");
        case "4": return colour("level-warn");
        case "3": return colour("c4");
        case "2": return colour("c1");
        default: return colour("faint");
    }
}
