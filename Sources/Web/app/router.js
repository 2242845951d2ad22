import { reactive } from "vue";

/** @typedef {{ page: string, params: Record<string, string>, path: string, query: Record<string, string> }} Route */

/** The pages by path; `:name` takes one segment. */
const patterns = /** @type {[string, RegExp, string[]][]} */ ([
    ["services", /^\/(?:services\/?)?$/, []],
    ["service", /^\/service\/([^/]+)\/?$/, ["name"]],
    ["logs", /^\/logs\/?$/, []],
    ["traces", /^\/traces\/?$/, []],
    ["trace", /^\/trace\/([^/]+)\/?$/, ["id"]],
    ["profiles", /^\/profiles\/?$/, []],
    ["alerts", /^\/alerts\/?$/, []],
    ["explore", /^\/explore\/?$/, []],
    ["status", /^\/status\/?$/, []],
    ["targets", /^\/targets\/?$/, []],
]);

/** What every link takes along: one range of time for the whole app. */
const kept = ["from", "to", "refresh"];

/** @param {Location} location @returns {Route} */
function read(location) {
    const query = Object.fromEntries(new URLSearchParams(location.search));
    for (const [page, pattern, names] of patterns) {
        const match = pattern.exec(location.pathname);
        if (!match) continue;
        const params = Object.fromEntries(names.map((name, index) => [name, safeDecode(match[index + 1])]));
        return { page, params, path: location.pathname, query };
    }
    return { page: "missing", params: {}, path: location.pathname, query };
}

/** @param {string} text */
function safeDecode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

/**
 * Where the app is: follows the address bar.
 *
 * @type {Route}
 */
export const route = reactive(read(window.location));

function follow() {
    Object.assign(route, read(window.location));
}

window.addEventListener("popstate", follow);

/**
 * The address of a place, with the current range of time.
 *
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function href(path, query = {}) {
    const search = new URLSearchParams();
    for (const name of kept) if (route.query[name] && !(name in query)) search.set(name, route.query[name]);
    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
    const text = search.toString();
    return text ? `${path}?${text}` : path;
}

/** @param {string} address as of `href` @param {boolean} [replace] */
export function go(address, replace = false) {
    if (address === window.location.pathname + window.location.search) return;
    const samePage = address.split("?")[0] === window.location.pathname;
    window.history[replace ? "replaceState" : "pushState"](null, "", address);
    follow();
    if (!samePage) window.scrollTo(0, 0);
}

/**
 * Changes the query of the present place; null removes a name.
 *
 * @param {Record<string, string | number | null | undefined>} changes
 * @param {boolean} [replace] without a step in the history
 */
export function setQuery(changes, replace = false) {
    go(href(route.path, { ...route.query, ...changes }), replace);
}

/** @param {string} name */
export const servicePath = (name) => `/service/${encodeURIComponent(name)}`;
/** @param {string} id */
export const tracePath = (id) => `/trace/${encodeURIComponent(id)}`;
