import { h } from "vue";

/** @typedef {import("vue").Child} Child */

/**
 * @param {object} content
 * @param {string} content.title
 * @param {Child} [content.hint] after the title
 * @param {Child} [content.tools] at the right, seen on hover
 * @param {boolean} [content.flush] without padding
 * @param {string} [content.testid]
 * @param {Record<string, unknown>} [props]
 * @param {Child} body
 */
export function panel({ title, hint, tools, flush, testid }, body, props = {}) {
    return h("section", { class: ["panel", { flush }], "aria-label": title, "data-testid": testid, ...props }, [
        h("header", null, [
            h("h2", null, title),
            hint ? h("span", { class: "hint clip" }, hint) : null,
            tools ? h("div", { class: "panel-tools" }, tools) : null,
        ]),
        h("div", { class: "panel-body" }, body),
    ]);
}
