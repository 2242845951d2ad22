// As much of CodeMirror 6 as the app uses.
declare module "codemirror" {
    export interface Extension { readonly __extension?: never }
    export interface Text { toString(): string; length: number; lines: number; line(number: number): { from: number; to: number } }
    export interface Tree { readonly __tree?: never }
    export class EditorState {
        doc: Text;
        static create(config: { doc?: string; extensions?: unknown }): EditorState;
        sliceDoc(from?: number, to?: number): string;
    }
    export class EditorView {
        constructor(config: { state: EditorState; parent?: Element });
        state: EditorState;
        dom: HTMLElement;
        contentDOM: HTMLElement;
        dispatch(transaction: object): void;
        focus(): void;
        destroy(): void;
        static lineWrapping: Extension;
        static updateListener: { of(run: (update: { docChanged: boolean; state: EditorState }) => void): Extension };
        static theme(spec: object, options?: { dark?: boolean }): Extension;
        static contentAttributes: { of(attributes: Record<string, string>): Extension };
        static decorations: { from(field: unknown): Extension };
    }
    export class Compartment { of(extension: unknown): Extension; reconfigure(extension: unknown): object }
    export const Prec: { highest(extension: unknown): Extension };
    export const keymap: { of(bindings: { key: string; run: () => boolean }[]): Extension };
    export const basicSetup: Extension;
    export const minimalSetup: Extension;
    export function placeholder(text: string): Extension;
    export interface StringStream {
        match(pattern: RegExp | string): RegExpMatchArray | boolean | null;
        next(): string | void;
        peek(): string | void;
        eatSpace(): boolean;
        eol(): boolean;
        pos: number;
        string: string;
    }
    export const StreamLanguage: {
        define<S>(spec: {
            name: string; startState(): S; token(stream: StringStream, state: S): string | null;
            languageData?: object;
        }): Extension & { data: { of(value: object): Extension } };
    };
    export interface Range { readonly __range?: never }
    export interface DecorationSet { map(changes: unknown): DecorationSet }
    export const Decoration: { none: DecorationSet; mark(spec: object): { range(from: number, to: number): Range }; set(ranges: Range[]): DecorationSet };
    export const StateEffect: { define<T>(): { of(value: T): object } };
    export const StateField: {
        define<T>(spec: { create(): T; update(value: T, transaction: { changes: unknown; docChanged: boolean; effects: { is(type: unknown): boolean; value: any }[] }): T; provide?: (field: unknown) => Extension }): Extension;
    };
    export function syntaxHighlighting(style: unknown): Extension;
    export const HighlightStyle: { define(spec: object[]): unknown };
    export interface CompletionContext {
        pos: number; explicit: boolean; state: EditorState;
        matchBefore(pattern: RegExp): { from: number; to: number; text: string } | null;
    }
    export interface Completion { label: string; type?: string; detail?: string; info?: string; apply?: string; boost?: number }
}
