// Everything of the page that needs no browser: the state, what is typed and completed, and the session over a connection that is played.

import "./state/fixtures.mjs";
import "./state/screen.mjs";
import "./state/mention.mjs";
import "./state/typed.mjs";
import "./state/login.mjs";
import "./state/devices.mjs";
import "./state/marks.mjs";
import "./state/returns.mjs";
import "./state/reply.mjs";
import "./state/rooms.mjs";
import "./state/roster.mjs";
import "./state/complete.mjs";
import "./state/files.mjs";
import "./state/hostile.mjs";
import "./state/session.mjs";
