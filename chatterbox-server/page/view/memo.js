/** Views that are made anew only when a property is another value. Items are replaced, not changed, so comparing is enough. */

import { Component, h } from "../vendor/preact.js";

/**
 * @template {object} Props
 * @param {(props: Props) => any} view
 */
export function memo(view) {
  return class extends Component {
    /** @param {Record<string, unknown>} next */
    shouldComponentUpdate(next) {
      const props = /** @type {Record<string, unknown>} */ (this.props);
      for (const name in next) if (next[name] !== props[name]) return true;
      return false;
    }

    /** @param {any} props */
    render(props) {
      return h(/** @type {any} */ (view), props);
    }
  };
}
