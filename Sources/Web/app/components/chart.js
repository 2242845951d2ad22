import { h, onBeforeUnmount, onMounted, shallowRef, watch } from "vue";
import { component } from "../component.js";
import { setAbsolute } from "../range.js";
import { isDark } from "../theme.js";

/**
 * An ECharts chart that fills its box. Dragging over a chart with a time axis chooses that range of time for the page.
 *
 * @typedef {object} ChartProps
 * @property {() => object} option builds the option; called again for new data, sizes of type and colours
 * @property {unknown} version what the option depends on
 * @property {string} label for those who do not see it
 * @property {boolean} [zooms] whether a drag chooses a range of time
 * @property {(event: any) => void} [onPick] a click on a point
 * @property {((time: number) => void) | null} [onTime] a click beside points, at a time in milliseconds
 */
export const Chart = component(
    "Chart",
    /** @type {(keyof ChartProps)[]} */ (["option", "version", "label", "zooms", "onPick", "onTime"]),
    (/** @type {ChartProps} */ props) => {
        const host = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
        const selection = /** @type {import("vue").Ref<{ left: number, width: number } | null>} */ (shallowRef(null));
        let chart = /** @type {EChart | null} */ (null);
        let observer = /** @type {ResizeObserver | null} */ (null);
        let dragStart = -1;
        let wasDragged = false;
        let wasPicked = false;

        function draw() {
            chart?.setOption(props.option(), { notMerge: true });
        }

        /** @param {number} x @returns {number} milliseconds */
        const timeAt = (x) => Number(chart?.convertFromPixel({ xAxisIndex: 0 }, x));

        /** @param {MouseEvent} event */
        function move(event) {
            if (!host.value || dragStart < 0) return;
            const x = Math.max(
                0,
                Math.min(host.value.clientWidth, event.clientX - host.value.getBoundingClientRect().left),
            );
            selection.value =
                Math.abs(x - dragStart) > 4 ? { left: Math.min(x, dragStart), width: Math.abs(x - dragStart) } : null;
        }

        function release() {
            window.removeEventListener("mousemove", move);
            window.removeEventListener("mouseup", release);
            const chosen = selection.value;
            selection.value = null;
            dragStart = -1;
            wasDragged = chosen !== null;
            if (!chosen) return;
            const start = timeAt(chosen.left);
            const end = timeAt(chosen.left + chosen.width);
            if (Number.isFinite(start) && Number.isFinite(end) && end - start > 1000) setAbsolute(start, end);
        }

        onMounted(() => {
            if (!host.value) return;
            chart = echarts.init(host.value, null, { renderer: "canvas" });
            draw();
            chart.on("click", (event) => {
                wasPicked = Boolean(event.data?.traceID) || !props.onTime;
                if (wasPicked) props.onPick?.(event);
            });
            chart.getZr().on("click", ({ offsetX, offsetY }) => {
                if (wasDragged || !props.onTime || !chart?.containPixel({ gridIndex: 0 }, [offsetX, offsetY])) return;
                const time = timeAt(offsetX);
                // The click on a point, if it is one, is told in the same turn.
                window.setTimeout(() => {
                    if (!wasPicked && Number.isFinite(time)) props.onTime?.(time);
                    wasPicked = false;
                });
            });
            chart.getZr().on("mousedown", ({ offsetX, offsetY, event }) => {
                if (!props.zooms || event.button !== 0 || !chart?.containPixel({ gridIndex: 0 }, [offsetX, offsetY]))
                    return;
                dragStart = offsetX;
                window.addEventListener("mousemove", move);
                window.addEventListener("mouseup", release);
            });
            observer = new ResizeObserver(() => chart?.resize());
            observer.observe(host.value);
        });
        watch(() => [props.version, isDark.value], draw, { flush: "post" });
        onBeforeUnmount(() => {
            observer?.disconnect();
            chart?.dispose();
            chart = null;
            window.removeEventListener("mousemove", move);
            window.removeEventListener("mouseup", release);
        });

        return () =>
            h("div", { class: "chart", role: "img", "aria-label": props.label }, [
                h("div", {
                    class: "canvas",
                    ref: (/** @type {HTMLElement | null} */ element) => {
                        host.value = element;
                    },
                }),
                selection.value
                    ? h("div", {
                          class: "selection",
                          style: { left: `${selection.value.left}px`, width: `${selection.value.width}px` },
                      })
                    : null,
            ]);
    },
);
