import { h, shallowRef } from "vue";
import { component } from "../component.js";
import { icon } from "../icons.js";
import { RequestError } from "../http.js";

/** @typedef {import("vue").Child} Child */

/** @param {{ height?: number | string, label?: string }} [options] */
export function loading(options = {}) {
    const { height = 160, label = "Loading" } = options;
    return h("div", {
        class: "skeleton",
        style: { height: typeof height === "number" ? `${height}px` : height, minHeight: "40px", flex: "1 1 auto" },
        role: "status",
        "aria-label": label,
    });
}

/** Text to copy: a command, or a piece of configuration. */
export const Snippet = component(
    "Snippet",
    /** @type {("text")[]} */ (["text"]),
    (/** @type {{ text: string }} */ props) => {
        const copied = shallowRef(false);
        async function copy() {
            try {
                await navigator.clipboard.writeText(props.text);
                copied.value = true;
                window.setTimeout(() => {
                    copied.value = false;
                }, 1500);
            } catch {
                // No clipboard without TLS or permission: the text can be selected.
            }
        }
        return () =>
            h("div", { class: "snippet" }, [
                h("pre", { tabindex: 0 }, props.text),
                h(
                    "button",
                    {
                        type: "button",
                        class: "button small icon quiet",
                        onClick: copy,
                        title: "Copy",
                        "aria-label": copied.value ? "Copied" : "Copy",
                    },
                    [icon(copied.value ? "check" : "copy")],
                ),
            ]);
    },
);

/**
 * Nothing to show, and what to do about it.
 *
 * @param {object} content
 * @param {string} content.title
 * @param {Child} [content.text]
 * @param {string} [content.snippet]
 * @param {Child} [content.action]
 * @param {string} [content.icon]
 * @param {boolean} [content.compact]
 */
export function empty({ title, text, snippet, action, icon: name = "inbox", compact = false }) {
    return h("div", { class: ["state", { compact }], role: "status", "data-testid": "empty" }, [
        compact ? null : icon(name),
        h("strong", null, title),
        text ? h("p", null, text) : null,
        snippet ? h(Snippet, { text: snippet }) : null,
        action ?? null,
    ]);
}

/**
 * @param {Error} error
 * @param {(() => void) | null} retry
 * @param {{ compact?: boolean, detail?: string }} [options] detail: text above the message, as it is
 */
export function failure(error, retry, options = {}) {
    const { compact = false, detail = "" } = options;
    const status = error instanceof RequestError ? error.status : 0;
    const title =
        status === 401
            ? "A token is needed"
            : status === 403
              ? "The token may not do this"
              : status === 404
                ? "Not found"
                : status === 429 || status === 503
                  ? "Apus is busy"
                  : status >= 400 && status < 500
                    ? "The query was refused"
                    : "This could not be loaded";
    return h("div", { class: ["state failure", { compact }], role: "alert" }, [
        compact ? null : icon("warning"),
        h("strong", null, title),
        h("div", { class: "message" }, detail ? `${detail}\n${error.message}` : error.message),
        retry
            ? h("button", { type: "button", class: "button small", onClick: retry }, [icon("refresh"), "Try again"])
            : null,
    ]);
}

/**
 * The usual order: an error, then the first load, then nothing found, then the content (dimmed by nothing while it loads again).
 *
 * @template T
 * @param {import("../resource.js").Resource<T>} resource
 * @param {object} views
 * @param {(data: T) => Child} views.content
 * @param {(data: T) => Child | null} [views.empty] null where there is something
 * @param {() => Child} [views.loading]
 * @param {boolean} [views.compact]
 */
export function show(resource, views) {
    const { data, error } = resource;
    if (error.value) return failure(error.value, resource.reload, { compact: views.compact });
    if (data.value === null) return views.loading ? views.loading() : loading();
    return views.empty?.(data.value) ?? views.content(data.value);
}
