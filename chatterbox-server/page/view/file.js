/** The file that goes with a message: what it is called, how large it is, until when it is kept, and a button that fetches it. */

import { html } from "./html.js";
import { Icon } from "./icons.js";
import { sizeWords } from "../state/size.js";
import { untilWords } from "./time.js";

/** @import { Attached } from "../state/types.js" */

/** @param {{file: Attached, save: () => void}} props */
export function AttachedFile({ file, save }) {
  const until = untilWords(file.until);
  return html`<p class="file">
    <${Icon} name="file" /><bdi class="file-name">${file.name}</bdi>
    <span class="note">${sizeWords(file.size)}${until === null ? "" : `, until ${until}`}</span>
    <button type="button" class="button" tabindex="-1" aria-label=${`Save ${file.name}`} onClick=${save}>Save</button>
  </p>`;
}
