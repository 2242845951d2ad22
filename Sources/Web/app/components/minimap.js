import { h, onBeforeUnmount, onMounted, shallowRef, watch } from "vue";
import { colour, serviceColour } from "../charts/palette.js";
import { component } from "../component.js";
import { isDark } from "../theme.js";

/** @typedef {{ start: number, end: number }} View */

const height = 46;

/**
 * The whole trace in a strip; dragging over it chooses the part that the waterfall shows.
 *
 * @typedef {object} MinimapProps
 * @property {import("../model/trace.js").Trace} tree
 * @property {View | null} view nanoseconds since the trace's start
 * @property {(view: View | null) => void} onView
 */
export const Minimap = component(
    "Minimap",
    /** @type {(keyof MinimapProps)[]} */ (["tree", "view", "onView"]),
    (/** @type {MinimapProps} */ props) => {
        const canvas = /** @type {import("vue").Ref<HTMLCanvasElement | null>} */ (shallowRef(null));
        let observer = /** @type {ResizeObserver | null} */ (null);

        function draw() {
            const element = canvas.value;
            const context = element?.getContext("2d");
            if (!element || !context) return;
            const scale = window.devicePixelRatio || 1;
            const width = element.clientWidth;
            element.width = Math.round(width * scale);
            element.height = Math.round(height * scale);
            context.scale(scale, scale);
            const { tree, view } = props;
            const step = Math.min(4, (height - 6) / tree.spans.length);
            tree.spans.forEach((span, index) => {
                context.fillStyle = span.isError ? colour("level-error") : serviceColour(span.service);
                context.fillRect(
                    (span.offset / tree.duration) * width,
                    3 + index * step,
                    Math.max(1, (span.duration / tree.duration) * width),
                    Math.max(0.8, step * 0.7),
                );
            });
            if (!view) return;
            const [left, right] = [(view.start / tree.duration) * width, (view.end / tree.duration) * width];
            context.fillStyle = colour("ground");
            context.globalAlpha = 0.72;
            context.fillRect(0, 0, left, height);
            context.fillRect(right, 0, width - right, height);
            context.globalAlpha = 1;
            context.strokeStyle = colour("accent");
            context.strokeRect(left + 0.5, 0.5, Math.max(1, right - left - 1), height - 1);
        }

        /** @param {PointerEvent} event */
        function drag(event) {
            const element = canvas.value;
            if (!element || event.button !== 0) return;
            const box = element.getBoundingClientRect();
            const at = (/** @type {PointerEvent} */ one) =>
                Math.max(0, Math.min(1, (one.clientX - box.left) / box.width)) * props.tree.duration;
            const first = at(event);
            element.setPointerCapture(event.pointerId);
            const move = (/** @type {PointerEvent} */ one) => {
                const second = at(one);
                if (Math.abs(second - first) > props.tree.duration / 200)
                    props.onView({ start: Math.min(first, second), end: Math.max(first, second) });
            };
            element.addEventListener("pointermove", move);
            element.addEventListener("pointerup", () => element.removeEventListener("pointermove", move), {
                once: true,
            });
        }

        onMounted(() => {
            observer = new ResizeObserver(draw);
            if (canvas.value) observer.observe(canvas.value);
        });
        watch(() => [props.tree, props.view, isDark.value], draw, { flush: "post" });
        onBeforeUnmount(() => observer?.disconnect());
        return () =>
            h("canvas", {
                class: "minimap",
                style: { height: `${height}px` },
                role: "img",
                "aria-label": "The whole trace; drag to look at a part",
                onPointerdown: drag,
                onDblclick: () => props.onView(null),
                ref: (/** @type {HTMLCanvasElement | null} */ element) => {
                    canvas.value = element;
                },
            });
    },
);
