// A flame graph's frames out of flamebearer levels. Nothing here touches the page.

/**
 * @typedef {object} Frame
 * @property {string} name
 * @property {number} level
 * @property {number} start in the profile's unit, from the left
 * @property {number} total
 * @property {number} self
 * @property {Frame | null} parent
 */
/** @typedef {{ unit: string, total: number, levels: Frame[][] }} Flame */
/** @typedef {{ name: string, self: number, total: number }} FunctionCost */

/**
 * Levels are lists of four numbers a frame: the distance from the end of the frame to the left (of the level's beginning, for the
 * first), total, self, index into `names`.
 *
 * @param {import("../api.js").Flamebearer} bearer
 * @returns {Flame}
 */
export function readFlame(bearer) {
    /** @type {Frame[][]} */
    const levels = [];
    for (const numbers of bearer.levels) {
        /** @type {Frame[]} */
        const frames = [];
        const above = levels[levels.length - 1] ?? [];
        let parentIndex = 0;
        let at = 0;
        for (let index = 0; index + 3 < numbers.length; index += 4) {
            const start = at + numbers[index];
            const total = numbers[index + 1];
            at = start + total;
            while (parentIndex < above.length - 1 && above[parentIndex].start + above[parentIndex].total <= start)
                parentIndex += 1;
            frames.push({
                name: bearer.names[numbers[index + 3]] ?? "?",
                level: levels.length,
                start,
                total,
                self: numbers[index + 2],
                parent: above[parentIndex] ?? null,
            });
        }
        if (frames.length > 0) levels.push(frames);
    }
    return {
        unit: bearer.unit,
        total: levels[0]?.reduce((sum, frame) => sum + frame.total, 0) ?? bearer.total,
        levels,
    };
}

/**
 * What each function costs; a recursive one counts its time once.
 *
 * @param {Flame} flame
 * @returns {FunctionCost[]} the most expensive by itself first
 */
export function functionCosts(flame) {
    /** @type {Map<string, FunctionCost>} */
    const costs = new Map();
    for (const frames of flame.levels.slice(1)) {
        for (const frame of frames) {
            const cost = costs.get(frame.name) ?? { name: frame.name, self: 0, total: 0 };
            cost.self += frame.self;
            if (!hasAncestor(frame, frame.name)) cost.total += frame.total;
            costs.set(frame.name, cost);
        }
    }
    return [...costs.values()].sort((a, b) => b.self - a.self || b.total - a.total);
}

/** @param {Frame} frame @param {string} name */
function hasAncestor(frame, name) {
    for (let at = frame.parent; at; at = at.parent) if (at.name === name) return true;
    return false;
}

/**
 * The frame at a place, by binary search.
 *
 * @param {Flame} flame @param {number} level @param {number} value in the profile's unit, from the left
 * @returns {Frame | null}
 */
export function frameAt(flame, level, value) {
    const frames = flame.levels[level];
    if (!frames) return null;
    let low = 0;
    let high = frames.length - 1;
    while (low <= high) {
        const middle = (low + high) >> 1;
        const frame = frames[middle];
        if (value < frame.start) high = middle - 1;
        else if (value >= frame.start + frame.total) low = middle + 1;
        else return frame;
    }
    return null;
}

/**
 * `github.com/lib/pq.(*conn).query` → `pq.(*conn).query`: the path before the package says little in a narrow box.
 *
 * @param {string} name
 */
export function shortName(name) {
    const generic = name.indexOf("[");
    const head = generic < 0 ? name : name.slice(0, generic);
    return name.slice(head.lastIndexOf("/") + 1);
}

/**
 * The package of a Go symbol or the module of a Swift one, for colouring.
 *
 * @param {string} name
 */
export function packageOf(name) {
    const slash = name.lastIndexOf("/");
    const dot = name.indexOf(".", slash + 1);
    return dot < 0 ? name : name.slice(0, dot);
}

/**
 * The parts of `process_cpu:cpu:nanoseconds:cpu:nanoseconds`.
 *
 * @param {string} type
 */
export function describeType(type) {
    const [name, sample, unit] = type.split(":");
    const titles = /** @type {Record<string, string>} */ ({
        "process_cpu:cpu": "CPU time",
        "process_cpu:samples": "CPU samples",
        "memory:inuse_space": "Memory in use",
        "memory:inuse_objects": "Objects in use",
        "memory:alloc_space": "Memory allocated",
        "memory:alloc_objects": "Objects allocated",
        "goroutine:goroutine": "Goroutines",
        "goroutines:goroutine": "Goroutines",
        "mutex:contentions": "Mutex contentions",
        "mutex:delay": "Mutex delay",
        "block:contentions": "Block contentions",
        "block:delay": "Block delay",
    });
    return { title: titles[`${name}:${sample}`] ?? `${name} ${sample ?? ""}`.trim(), unit: unit ?? "count" };
}

/** @param {string} unit of a profile @returns {import("../format.js").Unit} */
export function unitOfProfile(unit) {
    if (unit === "nanoseconds" || unit === "ns") return "ns";
    if (unit === "milliseconds") return "ms";
    if (unit === "seconds") return "s";
    return unit === "bytes" ? "bytes" : "count";
}
