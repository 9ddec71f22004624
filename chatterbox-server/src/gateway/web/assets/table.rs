//! The table of the files of the page: `CHATTERBOX_RECORD=1 cargo test -p chatterbox-server --lib assets` writes it.

macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/page/", $path)))),*]
    };
}

pub(super) static FILES: &[(&str, &[u8])] = files![
    "chat.css",
    "icon.svg",
    "index.html",
    "keys.js",
    "notify.js",
    "overlays.css",
    "settings.js",
    "style.css",
    "vendor/LICENSE-htm",
    "vendor/LICENSE-preact",
    "vendor/hooks.js",
    "vendor/htm.js",
    "vendor/preact.js",
    "view/announce.js",
    "view/html.js",
    "view/icons.js",
    "view/menu.js",
    "view/overlays.js",
    "view/say.js",
    "view/ui.js",
];
