import { h, onBeforeUnmount, onMounted, shallowRef, watch } from "vue";
import { component } from "../component.js";
import { percent, withUnit } from "../format.js";
import { icon } from "../icons.js";
import { drawFlame, rowHeight } from "../charts/flame.js";
import { frameAt } from "../model/flame.js";
import { isDark } from "../theme.js";

/** @typedef {import("../model/flame.js").Frame} Frame */

/**
 * A flame graph on a canvas. A click looks at one frame; its callers stay above it.
 *
 * @typedef {object} FlameGraphProps
 * @property {import("../model/flame.js").Flame} flame
 * @property {import("../format.js").Unit} unit
 * @property {string} search
 */
export const FlameGraph = component(
    "FlameGraph",
    /** @type {(keyof FlameGraphProps)[]} */ (["flame", "unit", "search"]),
    (/** @type {FlameGraphProps} */ props) => {
        const canvas = /** @type {import("vue").Ref<HTMLCanvasElement | null>} */ (shallowRef(null));
        const focus = /** @type {import("vue").Ref<Frame | null>} */ (shallowRef(null));
        const hover = /** @type {import("vue").Ref<{ frame: Frame, x: number, y: number } | null>} */ (
            shallowRef(null)
        );
        const matched = shallowRef(0);
        let observer = /** @type {ResizeObserver | null} */ (null);

        const view = () => ({ start: focus.value?.start ?? 0, width: focus.value?.total ?? props.flame.total });

        function draw() {
            if (canvas.value)
                matched.value = drawFlame(canvas.value, props.flame, {
                    ...view(),
                    focus: focus.value,
                    hover: hover.value?.frame ?? null,
                    search: props.search,
                    unit: props.unit,
                });
        }

        /** @param {MouseEvent} event @returns {Frame | null} */
        function under(event) {
            const box = canvas.value?.getBoundingClientRect();
            if (!box) return null;
            const { start, width } = view();
            const level = Math.floor((event.clientY - box.top) / rowHeight);
            // The callers of the frame that is looked at are drawn over the whole width.
            if (focus.value && level < focus.value.level) {
                let frame = /** @type {Frame | null} */ (focus.value);
                while (frame && frame.level > level) frame = frame.parent;
                return frame;
            }
            return frameAt(props.flame, level, start + ((event.clientX - box.left) / box.width) * width);
        }

        /** @param {MouseEvent} event */
        function move(event) {
            const frame = under(event);
            hover.value = frame ? { frame, x: event.clientX, y: event.clientY } : null;
        }
        /** @param {Frame | null} frame */
        function look(frame) {
            focus.value = frame && frame.level > 0 ? frame : null;
            hover.value = null;
        }
        /** @param {KeyboardEvent} event */
        function key(event) {
            const at = focus.value ?? props.flame.levels[0]?.[0];
            if (!at) return;
            const level = props.flame.levels[at.level] ?? [];
            const index = level.indexOf(at);
            const within = (/** @type {Frame[] | undefined} */ frames) =>
                frames?.filter((frame) => frame.parent === at).sort((a, b) => b.total - a.total)[0];
            const next = /** @type {Record<string, Frame | null | undefined>} */ ({
                ArrowDown: within(props.flame.levels[at.level + 1]),
                ArrowUp: at.parent,
                ArrowRight: level[index + 1],
                ArrowLeft: level[index - 1],
                Escape: props.flame.levels[0]?.[0],
            });
            if (!(event.key in next)) return;
            event.preventDefault();
            const frame = next[event.key];
            if (frame) look(frame);
        }

        onMounted(() => {
            observer = new ResizeObserver(draw);
            if (canvas.value) observer.observe(canvas.value);
        });
        watch(
            () => props.flame,
            (flame) => {
                // The same place in the newer profile, if it is still there.
                const old = focus.value;
                focus.value = old
                    ? (flame.levels[old.level]?.find(
                          (frame) => frame.name === old.name && frame.parent?.name === old.parent?.name,
                      ) ?? null)
                    : null;
            },
        );
        watch(() => [props.flame, props.search, focus.value, hover.value?.frame, isDark.value], draw, {
            flush: "post",
        });
        onBeforeUnmount(() => observer?.disconnect());

        /** The way from the root to the frame that is looked at. */
        function crumbs() {
            /** @type {Frame[]} */
            const chain = [];
            for (let at = focus.value; at; at = at.parent) chain.unshift(at);
            return h("div", { class: "flame-crumbs" }, [
                focus.value
                    ? h("button", { type: "button", class: "button small", onClick: () => look(null) }, [
                          icon("reset"),
                          "Whole profile",
                      ])
                    : null,
                focus.value
                    ? h("span", { class: "mono clip" }, chain[chain.length - 1].name)
                    : h("span", { class: "faint" }, "Click a frame to look at it; hover for its cost"),
                h("span", { class: "grow" }),
                focus.value
                    ? h(
                          "span",
                          { class: "number" },
                          `${withUnit(focus.value.total, props.unit)} · ${percent(focus.value.total / props.flame.total)}`,
                      )
                    : null,
                props.search ? h("span", { class: "badge accent" }, `matched ${percent(matched.value)}`) : null,
            ]);
        }

        /** @param {{ frame: Frame, x: number, y: number }} at */
        const tooltip = ({ frame, x, y }) =>
            h(
                "div",
                {
                    class: "flame-tooltip",
                    role: "tooltip",
                    style: {
                        left: `${Math.min(x + 14, window.innerWidth - 440)}px`,
                        top: `${y + 18 + 110 > window.innerHeight ? y - 106 : y + 18}px`,
                    },
                },
                [
                    h("div", { class: "mono" }, frame.name),
                    h("div", { class: "flame-costs" }, [
                        h("span", { class: "muted" }, "Total"),
                        h("b", { class: "number" }, withUnit(frame.total, props.unit)),
                        h("span", { class: "number" }, percent(frame.total / props.flame.total)),
                        h("span", { class: "muted" }, "Self"),
                        h("b", { class: "number" }, withUnit(frame.self, props.unit)),
                        h("span", { class: "number" }, percent(frame.self / props.flame.total)),
                    ]),
                ],
            );

        return () =>
            h("div", { class: "flame" }, [
                crumbs(),
                h("div", { class: "flame-scroll" }, [
                    h("canvas", {
                        tabindex: 0,
                        role: "img",
                        "aria-label": `Flame graph, ${props.flame.levels.length} levels deep; arrow keys walk through the frames`,
                        "data-testid": "flame-graph",
                        style: { height: `${props.flame.levels.length * rowHeight}px` },
                        onMousemove: move,
                        onMouseleave: () => {
                            hover.value = null;
                        },
                        onClick: (/** @type {MouseEvent} */ event) => look(under(event)),
                        onKeydown: key,
                        ref: (/** @type {HTMLCanvasElement | null} */ element) => {
                            canvas.value = element;
                        },
                    }),
                ]),
                hover.value ? tooltip(hover.value) : null,
            ]);
    },
);
