/** What stands above the chat when there is no connection: why, when the next try comes, and what the user can do. */

import { useEffect, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { closedWords } from "./refusals.js";
import { spanWords } from "./time.js";

/** @import { View } from "../state/types.js" */

/** @param {{view: View, again: () => void, leave: () => void}} props */
export function Link({ view, again, leave }) {
  const { phase } = view;
  if (phase.is === "lost") {
    return html`<section class="link lost" aria-label="Connection">
      <${Icon} name="offline" />
      <p><strong role="status">The connection is lost${phase.why === "" ? "." : ":"}</strong> ${" "}<span class="reason" dir="auto">${phase.why}</span>${/[^.!?…]$/u.test(phase.why) ? "." : ""}
        <${Waiting} count=${view.waiting} /></p>
      <${Next} retry=${phase.retry} />
      <button type="button" class="button" onClick=${again}>Try now</button>
    </section>`;
  }
  if (phase.is === "joining") {
    return html`<section class="link lost" aria-label="Connection">
      <${Icon} name="offline" /><p role="status">Connecting … <${Waiting} count=${view.waiting} /></p>
    </section>`;
  }
  if (phase.is === "closed") {
    const { title, advice, back } = closedWords(phase);
    return html`<div class="link closed" role="alert">
      <${Icon} name="alert" />
      <div class="said"><p><strong>${title}</strong> ${" "}${advice}</p>${phase.info !== "" && html`<p class="reason" dir="auto">${phase.info}</p>`}</div>
      ${back && html`<button type="button" class="button" onClick=${again}>Join again</button>`}
      <button type="button" class="button" onClick=${leave}>To the login</button>
    </div>`;
  }
  return null;
}

/** @param {{count: number}} props */
function Waiting({ count }) {
  if (count === 0) return null;
  return html`<span> ${count === 1 ? "One message waits" : `${count} messages wait`} to be sent.</span>`;
}

/** The seconds until the next try; they are not read aloud each time. @param {{retry: number | null}} props */
function Next({ retry }) {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (retry === null) return undefined;
    setNow(Date.now() / 1000);
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, [retry]);
  if (retry === null) return null;
  const left = retry - now;
  return html`<span class="next">${left > 0.5 ? `Next try in ${spanWords(left)}` : "Trying …"}</span>`;
}
