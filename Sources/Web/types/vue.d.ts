// As much of Vue 3.5 as the app uses.
declare module "vue" {
    export interface Ref<T> { value: T }
    export interface VNode { readonly __v_isVNode: true; el: unknown }
    export type Child = VNode | string | number | boolean | null | undefined | Child[];
    export type Render = () => Child;
    export interface Slots { [name: string]: ((value?: any) => Child) | undefined }
    export interface SetupContext { slots: Slots; attrs: Record<string, unknown> }
    export interface App { mount(target: string | Element): unknown; config: { errorHandler?: (error: unknown) => void } }
    export type Source = (() => unknown) | Ref<any> | ((() => unknown) | Ref<any>)[];

    export function ref<T>(value: T): Ref<T>;
    export function shallowRef<T>(value: T): Ref<T>;
    export function computed<T>(get: () => T): Readonly<Ref<T>>;
    export function reactive<T extends object>(value: T): T;
    export function markRaw<T extends object>(value: T): T;
    export function watch<T>(source: Ref<T> | (() => T), run: (value: T, old: T) => void,
        options?: { immediate?: boolean; deep?: boolean; flush?: "pre" | "post" | "sync" }): () => void;
    export function watchEffect(run: () => void): () => void;
    export function onMounted(run: () => void): void;
    export function onBeforeUnmount(run: () => void): void;
    export function onErrorCaptured(run: (error: unknown) => boolean | void): void;
    export function nextTick(): Promise<void>;
    export function createApp(root: object): App;
    export function h(type: unknown, props?: any, children?: any): VNode;
    export const Teleport: object;
    export const Fragment: object;
}
