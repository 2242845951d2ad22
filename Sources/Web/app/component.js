/** @typedef {import("vue").SetupContext} SetupContext */
/** @typedef {import("vue").Child} Child */

/**
 * A component with typed props; events are props too (`onSelect`), so that a caller's function is checked like any value.
 *
 * @template {object} P
 * @param {string} name
 * @param {(keyof P & string)[]} props
 * @param {(props: P, context: SetupContext) => () => Child} setup
 * @returns {object}
 */
export function component(name, props, setup) {
    return { name, props, setup };
}
