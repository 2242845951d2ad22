import { onBeforeUnmount, shallowRef, watch } from "vue";
import { sessionCount } from "./http.js";
import { span } from "./range.js";

/** @typedef {import("./time.js").Span} Span */

/**
 * @template T
 * @typedef {object} Resource
 * @property {import("vue").Ref<T | null>} data what was loaded last; kept while the next is on its way
 * @property {import("vue").Ref<Error | null>} error
 * @property {import("vue").Ref<boolean>} loading
 * @property {() => void} reload
 */

/**
 * Data that follows its inputs and the range of time: loads again when one changes, and gives up the request that this makes stale.
 *
 * @template T
 * @param {(signal: AbortSignal, span: Span) => Promise<T> | null} load null where there is nothing to ask yet
 * @param {() => unknown} [inputs] what `load` reads, compared as JSON
 * @param {{ followsSpan?: boolean }} [options]
 * @returns {Resource<T>}
 */
export function resource(load, inputs = () => null, options = {}) {
    const data = /** @type {import("vue").Ref<T | null>} */ (shallowRef(null));
    const error = /** @type {import("vue").Ref<Error | null>} */ (shallowRef(null));
    const loading = shallowRef(false);
    let current = new AbortController();
    let lastInputs = "";

    async function run() {
        current.abort();
        current = new AbortController();
        const { signal } = current;
        const key = JSON.stringify(inputs()) ?? "";
        // Another question: its answer must not stand under the old data.
        if (key !== lastInputs) data.value = null;
        lastInputs = key;
        try {
            const promise = load(signal, span.value);
            if (promise === null) {
                data.value = null;
                error.value = null;
                loading.value = false;
                return;
            }
            loading.value = true;
            const value = await promise;
            if (signal.aborted) return;
            data.value = value;
            error.value = null;
        } catch (caught) {
            if (signal.aborted) return;
            error.value = caught instanceof Error ? caught : new Error(String(caught));
        }
        loading.value = false;
    }

    const stop = watch(
        () => JSON.stringify([inputs(), options.followsSpan === false ? null : span.value, sessionCount.value]),
        () => void run(),
        { immediate: true },
    );
    onBeforeUnmount(() => {
        stop();
        current.abort();
    });
    return { data, error, loading, reload: () => void run() };
}
