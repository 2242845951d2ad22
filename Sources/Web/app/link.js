import { h } from "vue";
import { go } from "./router.js";

/**
 * A link within the app: a plain click stays on the page, every other (new tab, copy) is the browser's.
 *
 * @param {string} address as of `href`
 * @param {Record<string, unknown>} props
 * @param {import("vue").Child} content
 */
export function link(address, props, content) {
    return h(
        "a",
        {
            href: address,
            onClick: (/** @type {MouseEvent} */ event) => {
                if (
                    event.button !== 0 ||
                    event.metaKey ||
                    event.ctrlKey ||
                    event.shiftKey ||
                    event.altKey ||
                    event.defaultPrevented
                )
                    return;
                event.preventDefault();
                go(address);
            },
            ...props,
        },
        content ?? undefined,
    );
}
