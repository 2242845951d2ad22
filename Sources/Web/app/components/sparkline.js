import { h } from "vue";

/**
 * A small line without axes; dots of nothing where there is nothing.
 *
 * @param {[number, number][]} points
 * @param {{ width?: number, height?: number, colour?: string, span?: import("../time.js").Span }} [options]
 */
export function sparkline(points, options = {}) {
    const { width = 120, height = 26, colour = "var(--accent)", span } = options;
    const finite = points.filter(([, value]) => Number.isFinite(value));
    const start = span?.start ?? finite[0]?.[0] ?? 0;
    const end = span?.end ?? finite[finite.length - 1]?.[0] ?? 1;
    const top = Math.max(...finite.map(([, value]) => value), 1e-12);
    const place = finite.map(
        ([time, value]) =>
            `${(((time - start) / Math.max(1, end - start)) * width).toFixed(1)},${(height - 1.5 - (value / top) * (height - 4)).toFixed(1)}`,
    );
    const first = place[0]?.split(",")[0] ?? "0";
    const last = place[place.length - 1]?.split(",")[0] ?? "0";
    return h("svg", { class: "sparkline", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, [
        h("line", { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5, stroke: "var(--line)", "stroke-width": 1 }),
        place.length > 1
            ? h("path", { d: `M${first},${height}L${place.join("L")}L${last},${height}Z`, fill: colour, opacity: 0.13 })
            : null,
        place.length > 1
            ? h("path", {
                  d: `M${place.join("L")}`,
                  fill: "none",
                  stroke: colour,
                  "stroke-width": 1.4,
                  "stroke-linejoin": "round",
              })
            : null,
        place.length === 1 ? h("circle", { cx: first, cy: height / 2, r: 1.8, fill: colour }) : null,
    ]);
}
