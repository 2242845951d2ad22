import { h, nextTick, onBeforeUnmount, shallowRef, watch } from "vue";
import { component } from "../component.js";

/**
 * A button that opens a box below it. Escape, a click elsewhere, or the focus leaving closes it.
 *
 * @typedef {object} PopoverProps
 * @property {import("vue").Child} face of the button
 * @property {string} label
 * @property {string} [buttonClass]
 * @property {"left" | "right"} [side]
 * @property {(close: () => void) => import("vue").Child} content
 * @property {string} [testid]
 */
export const Popover = component(
    "Popover",
    /** @type {(keyof PopoverProps)[]} */ (["face", "label", "buttonClass", "side", "content", "testid"]),
    (/** @type {PopoverProps} */ props) => {
        const open = shallowRef(false);
        const root = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
        const close = () => {
            open.value = false;
        };

        /** @param {PointerEvent | FocusEvent} event */
        function outside(event) {
            if (root.value && !root.value.contains(/** @type {Node} */ (event.target))) close();
        }
        watch(open, async (isOpen) => {
            if (!isOpen) {
                document.removeEventListener("pointerdown", outside, true);
                document.removeEventListener("focusin", outside, true);
                return;
            }
            document.addEventListener("pointerdown", outside, true);
            document.addEventListener("focusin", outside, true);
            await nextTick();
            /** @type {HTMLElement | null | undefined} */ (
                root.value?.querySelector(".popover [aria-checked=true], .popover input, .popover button")
            )?.focus();
        });
        onBeforeUnmount(() => {
            document.removeEventListener("pointerdown", outside, true);
            document.removeEventListener("focusin", outside, true);
        });

        /** @param {KeyboardEvent} event */
        function key(event) {
            if (!open.value) return;
            if (event.key === "Escape") {
                event.stopPropagation();
                close();
                /** @type {HTMLElement | null | undefined} */ (root.value?.querySelector("button"))?.focus();
            } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
                const items = /** @type {HTMLElement[]} */ ([...(root.value?.querySelectorAll(".menu-item") ?? [])]);
                const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
                if (
                    items.length === 0 ||
                    (document.activeElement instanceof HTMLInputElement && event.key === "ArrowUp")
                )
                    return;
                event.preventDefault();
                items[
                    (at +
                        (event.key === "ArrowDown" ? 1 : items.length - 1) +
                        (at < 0 && event.key === "ArrowUp" ? 1 : 0)) %
                        items.length
                ].focus();
            }
        }

        return () =>
            h(
                "div",
                {
                    ref: (/** @type {HTMLElement | null} */ element) => {
                        root.value = element;
                    },
                    style: { position: "relative" },
                    onKeydown: key,
                },
                [
                    h(
                        "button",
                        {
                            type: "button",
                            class: props.buttonClass ?? "button",
                            "aria-haspopup": "true",
                            "aria-expanded": String(open.value),
                            "aria-label": props.label,
                            "data-testid": props.testid,
                            title: props.label,
                            onClick: () => {
                                open.value = !open.value;
                            },
                        },
                        props.face,
                    ),
                    open.value
                        ? h(
                              "div",
                              { class: "popover", style: { top: "calc(100% + 5px)", [props.side ?? "right"]: "0" } },
                              props.content(close),
                          )
                        : null,
                ],
            );
    },
);
