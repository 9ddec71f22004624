/**
 * The settings of the page: what there is to choose from, and where the choice is kept.
 *
 * They are kept in `localStorage`, which may be forbidden, full, or written by an earlier version of this page or by another one of the
 * same origin. So whatever is read is checked against the table, value by value, and the page works without any storage.
 */

/**
 * @typedef {object} Settings
 * @property {"system" | "light" | "dark" | "contrast"} theme
 * @property {"24" | "12" | "off"} times
 * @property {boolean} sounds
 * @property {"off" | "names" | "text"} notifications
 * @property {"small" | "normal" | "large" | "huge"} size
 * @property {"cosy" | "compact"} density
 * @property {"enter" | "ctrl-enter"} send
 */

/** @typedef {{value: string | boolean, words: string}} Choice */
/** @typedef {{name: keyof Settings, title: string, help: string, choices: readonly Choice[]}} Setting */

/** One row for each setting; the first choice is the one that holds where nothing was chosen. */
export const SETTINGS = /** @type {readonly Setting[]} */ ([
  {
    name: "theme", title: "Theme", help: "",
    choices: [
      { value: "system", words: "As the system" },
      { value: "light", words: "Light" },
      { value: "dark", words: "Dark" },
      { value: "contrast", words: "High contrast" },
    ],
  },
  {
    name: "times", title: "Times", help: "",
    choices: [
      { value: "24", words: "24 hours" },
      { value: "12", words: "12 hours" },
      { value: "off", words: "Off" },
    ],
  },
  {
    name: "size", title: "Font size", help: "",
    choices: [
      { value: "normal", words: "Normal" },
      { value: "small", words: "Small" },
      { value: "large", words: "Large" },
      { value: "huge", words: "Very large" },
    ],
  },
  {
    name: "density", title: "Density", help: "How much room there is between the rows.",
    choices: [
      { value: "cosy", words: "Cosy" },
      { value: "compact", words: "Compact" },
    ],
  },
  {
    name: "send", title: "Send with", help: "The other one begins a new line. Shift and Enter always does.",
    choices: [
      { value: "enter", words: "Enter" },
      { value: "ctrl-enter", words: "Ctrl and Enter" },
    ],
  },
  {
    name: "sounds", title: "Sounds", help: "A short tone when somebody names you or writes to you alone, and you do not see it.",
    choices: [
      { value: false, words: "Off" },
      { value: true, words: "On" },
    ],
  },
  {
    name: "notifications", title: "Notifications",
    help: "When somebody names you or writes to you alone while this page is hidden.",
    choices: [
      { value: "off", words: "Off" },
      { value: "names", words: "Who and where" },
      { value: "text", words: "With what they say" },
    ],
  },
]);

const KEY = "chatterbox.settings";

/** What holds where nothing was chosen. */
export function defaults() {
  const entries = SETTINGS.map((setting) => [setting.name, setting.choices[0]?.value]);
  return /** @type {Settings} */ (Object.fromEntries(entries));
}

/** The settings that a value from elsewhere has, as far as it has any: what is missing or no choice is the default. */
export function validated(/** @type {unknown} */ from) {
  /** @type {Record<string, unknown>} */
  const settings = { ...defaults() };
  if (typeof from !== "object" || from === null) return /** @type {Settings} */ (/** @type {unknown} */ (settings));
  for (const { name, choices } of SETTINGS) {
    if (!Object.hasOwn(from, name)) continue;
    const value = /** @type {Record<string, unknown>} */ (from)[name];
    if (choices.some((choice) => choice.value === value)) settings[name] = value;
  }
  return /** @type {Settings} */ (/** @type {unknown} */ (settings));
}

/** Reads the settings; `storage` gives the storage, or throws where it is forbidden. */
export function load(/** @type {() => Storage} */ storage) {
  try {
    return validated(JSON.parse(storage().getItem(KEY) ?? "null"));
  } catch {
    return defaults();
  }
}

/** Keeps the settings, where that is possible. */
export function save(/** @type {() => Storage} */ storage, /** @type {Settings} */ settings) {
  try {
    storage().setItem(KEY, JSON.stringify(settings));
  } catch {
    // They hold until the page is closed.
  }
}

const HINT = "chatterbox.hint";

/** Whether the user has answered the offer of notifications. @param {() => Storage} storage */
export function isHintAnswered(storage) {
  try {
    return storage().getItem(HINT) !== null;
  } catch {
    // It would come again each time.
    return true;
  }
}

/** @param {() => Storage} storage */
export function keepHintAnswered(storage) {
  try {
    storage().setItem(HINT, "answered");
  } catch {
    // It is not offered without storage.
  }
}

/** Puts what the style sheet depends on at the root of the page, as `data-theme`, `data-size` and `data-density`. */
export function apply(/** @type {HTMLElement} */ root, /** @type {Settings} */ settings) {
  root.dataset.theme = settings.theme;
  root.dataset.size = settings.size;
  root.dataset.density = settings.density;
}
