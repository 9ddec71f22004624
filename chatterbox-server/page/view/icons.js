/** The icons: strokes on a field of 24 units, in the colour of the text around them. What one means is said by its button. */

import { html } from "./html.js";

const PATHS = {
  menu: "M4 6h16M4 12h16M4 18h16",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-3.5 3-5.5 6.5-5.5s6.5 2 6.5 5.5M16 4.5a3.2 3.2 0 0 1 0 6M18 14.8c2.2.8 3.5 2.6 3.5 5.2",
  settings: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5",
  search: "M10.5 17.5a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20.5 20.5l-5-5",
  close: "M6 6l12 12M18 6L6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  more: "M4.4 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0zM11.4 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0zM18.4 12a.6.6 0 1 0 1.2 0 .6.6 0 1 0-1.2 0z",
  send: "M4.5 12h14M13 5.5l6.5 6.5-6.5 6.5",
  file: "M6 3.5h7.5L18 8v12.5H6zM13 3.5V8.5h5",
  attach: "M19.5 11.5l-7.8 7.8a4.6 4.6 0 0 1-6.5-6.5l8.3-8.3a3.1 3.1 0 0 1 4.4 4.4l-8.2 8.2a1.6 1.6 0 0 1-2.3-2.3l7.4-7.4",
  add: "M12 5v14M5 12h14",
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  alert: "M12 8v5M12 16.5h.01M12 3.5l9.5 17h-19z",
  offline: "M3 3l18 18M8.5 16.5a5 5 0 0 1 6-.8M5 13a10 10 0 0 1 4.5-2.6M2 9.5a15 15 0 0 1 4.5-2.9M12 20h.01M14 10.2a10 10 0 0 1 5 2.8M11 5.7A15 15 0 0 1 22 9.5",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.3a2.6 2.6 0 1 1 3.7 2.6c-.8.4-1.2 1-1.2 1.9M12 17h.01",
  bell: "M6 9.5a6 6 0 1 1 12 0c0 5 2 6.5 2 6.5H4s2-1.5 2-6.5M10 19.5a2.2 2.2 0 0 0 4 0",
  mention: "M15.5 12a3.5 3.5 0 1 0-7 0 3.5 3.5 0 0 0 7 0zM15.5 8.5v5a2.7 2.7 0 0 0 5.4 0V12a8.9 8.9 0 1 0-3.5 7",
  show: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  hide: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 20L20 4",
  leave: "M10 4.5H6.5a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2H10M15 8l4.5 4-4.5 4M19 12H10",
  away: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
};

/** @param {{name: keyof typeof PATHS}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
}
