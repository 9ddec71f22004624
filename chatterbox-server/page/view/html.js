/**
 * How the views write elements: a tagged template, in which every value is a text node, an attribute or a handler, never markup.
 */

import htm from "../vendor/htm.js";
import { h } from "../vendor/preact.js";

/**
 * `htm` gives an array for several roots; the views have one each.
 * @type {(strings: TemplateStringsArray, ...values: any[]) => import("../vendor/preact.js").VNode}
 */
export const html = /** @type {any} */ (htm.bind(h));
