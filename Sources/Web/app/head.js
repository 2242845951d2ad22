import { shallowRef } from "vue";

/**
 * What the top bar says of the page: set by each page.
 *
 * @type {import("vue").Ref<{ title: string, parent: { name: string, path: string } | null }>}
 */
export const head = shallowRef({ title: "", parent: null });

/** @param {string} title @param {{ name: string, path: string } | null} [parent] */
export function setHead(title, parent = null) {
    head.value = { title, parent };
    document.title = title ? `${title} · Apus` : "Apus";
}
