import { h, onBeforeUnmount, onMounted, shallowRef } from "vue";
import { component } from "../component.js";
import { recall, remember } from "../memory.js";

/** @typedef {{ id: string, place: { x: number, y: number, w: number, h: number } }} Cell */

/**
 * Panels that can be moved by their header and resized at their corner; where they stand is remembered in this browser.
 *
 * @typedef {object} GridProps
 * @property {Cell[]} cells
 * @property {string} name under which the layout is remembered
 * @property {(id: string) => import("vue").Child} content
 */
export const Grid = component(
    "Grid",
    /** @type {(keyof GridProps)[]} */ (["cells", "name", "content"]),
    (/** @type {GridProps} */ props) => {
        const host = /** @type {import("vue").Ref<HTMLElement | null>} */ (shallowRef(null));
        let grid = /** @type {Grid | null} */ (null);
        const places = layout();

        /**
         * The remembered layout over the given one.
         *
         * @returns {Record<string, Cell["place"]>}
         */
        function layout() {
            const given = Object.fromEntries(props.cells.map((cell) => [cell.id, cell.place]));
            try {
                const known = JSON.parse(recall(props.name) ?? "{}");
                for (const [id, place] of Object.entries(known)) {
                    if (id in given && [place.x, place.y, place.w, place.h].every(Number.isInteger)) given[id] = place;
                }
            } catch {
                // Damaged by hand: the given layout it is.
            }
            return given;
        }

        onMounted(() => {
            if (!host.value) return;
            grid = GridStack.init(
                {
                    column: 12,
                    cellHeight: 70,
                    margin: 6,
                    float: true,
                    handle: ".panel > header",
                    animate: false,
                    resizable: { handles: "se" },
                    oneColumnSize: 820,
                },
                host.value,
            );
            grid.on("change", () => {
                if (!grid || grid.engine.nodes.length === 0 || host.value?.classList.contains("grid-stack-1")) return;
                const saved = Object.fromEntries(
                    grid.engine.nodes.map((node) => [node.id ?? "", { x: node.x, y: node.y, w: node.w, h: node.h }]),
                );
                remember(props.name, JSON.stringify(saved));
            });
        });
        onBeforeUnmount(() => grid?.destroy(false));

        return () =>
            h(
                "div",
                {
                    class: "grid-stack",
                    ref: (/** @type {HTMLElement | null} */ element) => {
                        host.value = element;
                    },
                },
                props.cells.map((cell) =>
                    h(
                        "div",
                        {
                            key: cell.id,
                            class: "grid-stack-item",
                            "gs-id": cell.id,
                            "gs-x": places[cell.id].x,
                            "gs-y": places[cell.id].y,
                            "gs-w": places[cell.id].w,
                            "gs-h": places[cell.id].h,
                            "gs-min-w": 3,
                            "gs-min-h": 2,
                        },
                        [h("div", { class: "grid-stack-item-content" }, [props.content(cell.id)])],
                    ),
                ),
            );
    },
);

/** @param {string} name */
export function forgetLayout(name) {
    remember(name, null);
}
