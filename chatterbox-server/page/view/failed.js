/** What is there when this page has a fault. */

import { html } from "./html.js";

export function Failed() {
  return html`<main class="login">
    <div class="card" role="alert">
      <h1>Something went wrong</h1>
      <p>This page has a fault, and shows nothing rather than something wrong. Messages that you have sent are at the server.</p>
      <form onSubmit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); location.reload(); }}>
        <button class="button primary">Reload the page</button>
      </form>
    </div>
  </main>`;
}
