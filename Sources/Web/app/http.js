import { ref } from "vue";

/** Why a request got no answer, in the server's words. */
export class RequestError extends Error {
    /** @param {number} status 0 where no server answered @param {string} message */
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

/** Whether the server asked for a token. */
export const needsToken = ref(false);

/** Counts the sessions opened: what failed for want of one loads again. */
export const sessionCount = ref(0);

/** How many requests are on their way: the line below the top bar. */
export const busyCount = ref(0);

/** @param {string} body @param {number} status */
function messageOf(body, status) {
    try {
        const value = JSON.parse(body);
        const text = value.error ?? value.message;
        if (typeof text === "string" && text) return text;
    } catch {
        // Loki and Tempo answer in plain text.
    }
    return body.trim().slice(0, 2000) || `the server answered ${status}`;
}

/**
 * @param {string} path
 * @param {Record<string, string | number | string[] | undefined>} [params]
 * @param {{ signal?: AbortSignal, method?: string, json?: unknown }} [options]
 * @returns {Promise<any>} the JSON of the answer
 */
export async function request(path, params = {}, options = {}) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) {
        if (value === undefined || value === "") continue;
        for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
    }
    const text = search.toString();
    let response;
    busyCount.value += 1;
    try {
        response = await fetch(text ? `${path}?${text}` : path, {
            method: options.method ?? "GET",
            signal: options.signal,
            headers: {
                Accept: "application/json",
                ...(options.json === undefined ? {} : { "Content-Type": "application/json" }),
            },
            body: options.json === undefined ? undefined : JSON.stringify(options.json),
        });
    } catch (error) {
        if (options.signal?.aborted) throw error;
        throw new RequestError(0, "Apus does not answer: is it running, and is the network up?");
    } finally {
        busyCount.value -= 1;
    }
    if (!response.ok) {
        if (response.status === 401 && path !== "/api/apus/session") needsToken.value = true;
        throw new RequestError(response.status, messageOf(await response.text(), response.status));
    }
    return response.json();
}
