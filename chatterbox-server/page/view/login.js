/** The login: a name, and a password for those who have an account. */

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { closedWords, refusalWords } from "./refusals.js";
import { spanWords } from "./time.js";

/** @import { View } from "../state/types.js" */

/** @typedef {{ name: string, password: string, stay: boolean }} Credentials */

/**
 * `name` is the one that was used last, where the user stays logged in.
 *
 * @param {{view: View, name: string, stay: boolean, join: (credentials: Credentials) => void, again: () => void}} props
 */
export function Login({ view, name, stay, join, again }) {
  const { phase } = view;
  const nameField = useRef(/** @type {HTMLInputElement | null} */ (null));
  const passwordField = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [secret, setSecret] = useState(false);
  const refusal = phase.is === "refused" ? refusalWords(phase) : null;
  const busy = phase.is === "joining";

  useEffect(() => {
    if (phase.is === "idle") nameField.current?.focus();
    if (phase.is !== "refused") return;
    // The password that was sent is forgotten, and where it is the name's fault, the name is offered for another one.
    const field = refusal?.field === "password" ? passwordField.current : nameField.current;
    field?.focus();
    field?.select();
  }, [phase]);

  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    const given = { name: String(form.get("username") ?? "").trim(), password: String(form.get("password") ?? ""), stay: form.get("stay") === "on" };
    if (given.name === "") {
      nameField.current?.focus();
      return;
    }
    if (passwordField.current !== null) passwordField.current.value = "";
    setSecret(false);
    join(given);
  };

  return html`<main class="login">
    <div class="card">
      <img src="icon.svg" alt="" width="48" height="48" />
      <h1>${view.server.name || "Chatterbox"}</h1>
      <p class="note">on ${location.host}</p>
      <${Trouble} view=${view} again=${again} />
      <form onSubmit=${submit} method="post" action="login" aria-label="Join">
        <div class="field">
          <label for="username">Name</label>
          <input class="input" id="username" name="username" type="text" autocomplete="username" required maxlength="256" autocapitalize="none"
            autocorrect="off" spellcheck=${false} enterkeyhint="next" ref=${nameField} defaultValue=${name} readonly=${busy}
            aria-invalid=${refusal?.field === "name" ? "true" : undefined} aria-describedby=${refusal?.field === "name" ? "refused" : undefined} />
        </div>
        <div class="field">
          <label for="password">Password <span class="note">if you have an account</span></label>
          <div class="with-button">
            <input class="input" id="password" name="password" type=${secret ? "text" : "password"} autocomplete="current-password" maxlength="1024"
              autocapitalize="none" autocorrect="off" spellcheck=${false} enterkeyhint="go" ref=${passwordField} readonly=${busy}
              aria-invalid=${refusal?.field === "password" ? "true" : undefined} aria-describedby=${refusal?.field === "password" ? "refused" : "guest"} />
            <button type="button" class="icon-button" aria-pressed=${secret} onClick=${() => setSecret(!secret)}
              aria-label="Show the password" title="Show the password"><${Icon} name=${secret ? "hide" : "show"} /></button>
          </div>
          <p class="note" id="guest">Without one you are a guest.</p>
        </div>
        <label class="check"><input type="checkbox" name="stay" defaultChecked=${stay} /> Stay logged in on this computer</label>
        <button class="button primary" disabled=${busy}>${busy ? "Joining …" : "Join"}</button>
      </form>
      ${view.server.banner.length > 0 && html`<p class="banner" dir="auto">${view.server.banner.join("\n")}</p>`}
    </div>
  </main>`;
}

/** Why the user is not in. @param {{view: View, again: () => void}} props */
function Trouble({ view, again }) {
  const { phase } = view;
  if (phase.is === "refused") {
    const { title, advice, when, info } = refusalWords(phase);
    return html`<div class="trouble" role="alert" id="refused"><${Icon} name="alert" />
      <div><p><strong>${title}</strong> ${advice} ${when}</p>${info !== "" && html`<p class="said" dir="auto">${info}</p>`}</div></div>`;
  }
  if (phase.is === "closed") {
    const { title, advice } = closedWords(phase);
    return html`<div class="trouble" role="alert"><${Icon} name="alert" /><div><p><strong>${title}</strong> ${advice}</p>${phase.info !== "" && html`<p class="said" dir="auto">${phase.info}</p>`}</div></div>`;
  }
  if (phase.is === "lost") {
    const left = phase.retry === null ? null : phase.retry - Date.now() / 1000;
    return html`<div class="trouble" role="alert"><${Icon} name="offline" />
      <div><p><strong>The server can't be reached.</strong>${left !== null && ` It is tried again${left > 1 ? ` in ${spanWords(left)}` : ""}.`}</p>
        ${phase.why !== "" && html`<p class="said" dir="auto">${phase.why}</p>`}</div>
      <button type="button" class="button" onClick=${again}>Try now</button></div>`;
  }
  return null;
}
