/**
 * The page as its users find their way in it: by roles and names, never by classes.
 */

import assert from "node:assert/strict";

import { PATIENCE } from "./server.mjs";

/** A text as it stands in a pattern. */
export const exactly = (text) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);

export class Chat {
  constructor(page) {
    this.page = page;
    this.name = page.getByRole("textbox", { name: "Name", exact: true });
    this.password = page.getByLabel(/^Password/);
    this.stay = page.getByRole("checkbox", { name: /^Stay logged in/ });
    this.alert = page.getByRole("alert");
    this.input = page.getByRole("textbox", { name: /^Message to / });
    this.nav = page.getByRole("navigation", { name: "Conversations" });
    this.people = page.getByRole("complementary", { name: "People" });
    this.log = page.getByRole("list", { name: /^Messages in / });
    this.dialog = page.getByRole("dialog");
    this.menu = page.getByRole("menu");
    this.completions = page.getByRole("listbox", { name: "Completions" });
    this.lost = page.getByRole("region", { name: "Connection" });
  }

  /** Fills in the login and sends it. */
  async login(name, { password, stay = false } = {}) {
    await this.name.fill(name);
    if (password !== undefined) await this.password.fill(password);
    if (stay) await this.stay.check();
    await this.page.getByRole("button", { name: "Join", exact: true }).click();
  }

  /** Opens the page and joins. */
  async join(url, name, options) {
    await this.page.goto(url);
    await this.enter(name, options);
    return this;
  }

  /** Joins on the page that is open; a name that somebody of an earlier scene is about to leave is tried again. */
  async enter(name, options) {
    const taken = this.alert.filter({ hasText: "taken" });
    for (;;) {
      await this.login(name, options);
      await this.input.or(taken).first().waitFor();
      if (await this.input.isVisible()) return;
      // The alert of this try may not be mistaken for that of the next one.
      await this.name.fill("");
    }
  }

  /** Comes back from a lost connection as soon as that goes. The page tries by itself as well, and then there is nothing to click at. */
  async comesBack() {
    const now = this.page.getByRole("button", { name: /^(Try now|Join again)$/ });
    await eventually(async () => {
      if (await now.isVisible()) await now.click({ timeout: 1000 }).catch(() => {});
      return { lost: await this.lost.count(), inside: await this.input.isVisible() };
    }, { lost: 0, inside: true });
  }

  /** Types a line and sends it. */
  async say(text) {
    await this.input.fill(text);
    await this.input.press("Enter");
  }

  /** Types a command with a blank behind it, so that nothing is completed when it is sent. */
  async command(line) {
    await this.input.fill(line);
    await this.input.press("Escape");
    // A second Escape leaves the input; what is typed stays.
    await this.input.focus();
    await this.input.press("Enter");
  }

  /** The rows of the timeline with this text. */
  rows(text) {
    return this.log.getByRole("listitem").filter({ hasText: text });
  }

  row(text) {
    return this.rows(text).first();
  }

  async shows(text) {
    await this.row(text).waitFor();
  }

  /** The entry of a conversation: its name is its title, and what is unread behind it. */
  conversation(title) {
    return this.nav.getByRole("button", { name: new RegExp(`^${title}(\\s|$)`) });
  }

  async open(title) {
    await this.conversation(title).click();
    await this.page.getByRole("textbox", { name: `Message to ${title}`, exact: true }).waitFor();
  }

  person(name) {
    return this.people.getByRole("button", { name: new RegExp(`^${name}\\b`) });
  }

  /** A button of a message, a person or a conversation. */
  async choose(name) {
    await this.menu.getByRole("menuitem", { name }).click();
  }
}

/** Waits until what is read is as wanted; says what it was when it never comes. */
export async function eventually(read, wanted, what = "") {
  const end = Date.now() + PATIENCE;
  let last;
  while (Date.now() < end) {
    last = await read();
    try {
      assert.deepEqual(last, wanted);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  assert.deepEqual(last, wanted, what);
}
