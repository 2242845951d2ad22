// The two libraries that are plain scripts: Apache ECharts 6 and GridStack 7.
interface EChart {
    setOption(option: object, settings?: { notMerge?: boolean; lazyUpdate?: boolean }): void;
    resize(): void;
    dispose(): void;
    on(event: string, run: (event: any) => void): void;
    off(event: string): void;
    getZr(): { on(event: string, run: (event: { offsetX: number; offsetY: number; event: MouseEvent }) => void): void; setCursorStyle(style: string): void };
    convertFromPixel(finder: object, value: number | number[]): any;
    containPixel(finder: object, value: number[]): boolean;
    getWidth(): number;
    getHeight(): number;
}
declare const echarts: {
    init(element: Element, theme?: object | null, options?: { renderer?: "canvas" | "svg" }): EChart;
};

interface GridItem { id?: string; x?: number; y?: number; w?: number; h?: number }
interface Grid {
    on(event: string, run: (event: Event, items?: GridItem[]) => void): Grid;
    save(content: boolean): GridItem[];
    load(items: GridItem[]): Grid;
    update(element: Element, place: GridItem): Grid;
    makeWidget(element: Element): void;
    removeWidget(element: Element, removeElement?: boolean): Grid;
    column(count: number): Grid;
    destroy(removeElements?: boolean): void;
    batchUpdate(flag?: boolean): Grid;
    engine: { nodes: (GridItem & { el: Element })[] };
}
declare const GridStack: { init(options: object, element: Element): Grid };
