import { h, onBeforeUnmount, onMounted, shallowRef } from "vue";
import { component } from "../component.js";

/**
 * A dialog over the page; keeps the focus inside and gives it back.
 *
 * @typedef {object} DialogProps
 * @property {string} title
 * @property {(() => void) | null} onClose null where it must be answered
 * @property {() => import("vue").Child} content
 * @property {string} [width]
 */
export const Dialog = component(
    "Dialog",
    /** @type {(keyof DialogProps)[]} */ (["title", "onClose", "content", "width"]),
    (/** @type {DialogProps} */ props) => {
        const root = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
        const before = document.activeElement;
        const focusable = () =>
            /** @type {HTMLElement[]} */ ([
                ...(root.value?.querySelectorAll("input, button, a[href], select, textarea") ?? []),
            ]);
        onMounted(() => (focusable()[0] ?? root.value)?.focus());
        onBeforeUnmount(() => {
            if (before instanceof HTMLElement) before.focus();
        });
        /** @param {KeyboardEvent} event */
        function key(event) {
            event.stopPropagation();
            if (event.key === "Escape") props.onClose?.();
            if (event.key !== "Tab") return;
            const all = focusable();
            const edge = event.shiftKey ? all[0] : all[all.length - 1];
            if (all.length > 0 && document.activeElement !== edge) return;
            event.preventDefault();
            (event.shiftKey ? all[all.length - 1] : all[0])?.focus();
        }
        return () =>
            h(
                "div",
                {
                    class: "backdrop",
                    onPointerdown: (/** @type {PointerEvent} */ event) => {
                        if (event.target === event.currentTarget) props.onClose?.();
                    },
                },
                [
                    h(
                        "div",
                        {
                            class: "dialog",
                            role: "dialog",
                            "aria-modal": "true",
                            "aria-label": props.title,
                            tabindex: -1,
                            style: props.width ? { width: props.width } : undefined,
                            onKeydown: key,
                            ref: (/** @type {HTMLElement | null} */ element) => {
                                root.value = element;
                            },
                        },
                        [h("h2", null, props.title), props.content()],
                    ),
                ],
            );
    },
);
