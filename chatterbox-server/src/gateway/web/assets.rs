//! The files of the page, which are part of the program.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: a debug build reads the files of the page"
)]

mod table;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzEncoder;
use hyper::header::HeaderValue;
use ring::digest;

/// A file as it is sent.
#[derive(Debug)]
pub(super) struct Representation {
    pub(super) bytes: Bytes,
    /// A name of these very bytes.
    pub(super) etag: HeaderValue,
}

/// A file.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) content_type: HeaderValue,
    pub(super) identity: Representation,
    /// The file compressed with gzip, if that is shorter, since somebody has asked for it.
    gzip: OnceLock<Option<Representation>>,
}

impl Asset {
    fn new(path: &str, bytes: Bytes) -> Self {
        let hash = digest::digest(&digest::SHA256, &bytes);
        let mut hex = String::with_capacity(32);
        for byte in hash.as_ref().iter().take(16) {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self {
            content_type: HeaderValue::from_static(content_type(path)),
            identity: Representation { bytes, etag: etag(&hex) },
            gzip: OnceLock::new(),
        }
    }

    /// The file compressed with gzip; `None` where that is no shorter. It is compressed when it is asked for the first time, and kept. The files are
    /// the same for everybody and hold no secret, so their lengths tell nothing.
    pub(super) fn gzip(&self) -> Option<&Representation> {
        let compress = || {
            let mut bytes = Vec::new();
            let Representation { bytes: plain, etag: name } = &self.identity;
            GzEncoder::new(&plain[..], Compression::best()).read_to_end(&mut bytes).ok()?;
            let name = name.to_str().unwrap_or_default().trim_matches('"');
            let etag = etag(&format!("{name}-gzip"));
            (bytes.len() < plain.len()).then(|| Representation { bytes: bytes.into(), etag })
        };
        self.gzip.get_or_init(compress).as_ref()
    }
}

fn etag(name: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{name}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        _ => "text/plain; charset=utf-8",
    }
}

/// All files.
#[derive(Debug)]
pub(super) struct Assets {
    built_in: HashMap<&'static str, Arc<Asset>>,
    /// A debug build reads the files themselves, so that a reload shows a change.
    folder: Option<PathBuf>,
}

/// Names another folder to a debug build.
const FOLDER: &str = "CHATTERBOX_PAGE_FOLDER";

impl Assets {
    /// Those that are built in, or in a debug build those of the folder.
    pub(super) fn new() -> Self {
        let folder = cfg!(debug_assertions).then(|| {
            let named = std::env::var_os(FOLDER).map(PathBuf::from);
            named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("page"))
        });
        let asset = |(path, bytes): &(&'static str, &'static [u8])| {
            (*path, Arc::new(Asset::new(path, Bytes::from_static(bytes))))
        };
        Self {
            built_in: table::FILES.iter().map(asset).collect(),
            folder: folder.filter(|folder| folder.is_dir()),
        }
    }

    /// The file that the path of a request names.
    pub(super) fn get(&self, path: &str) -> Option<Arc<Asset>> {
        let path = path.strip_prefix('/')?;
        let path = if path.is_empty() { "index.html" } else { path };
        let built_in = self.built_in.get(path).cloned();
        let Some(folder) = &self.folder else { return built_in };
        let bytes = is_served(path).then(|| std::fs::read(folder.join(path)).ok())??;
        // One that was not changed is compressed only once, too.
        let is_same = |asset: &Arc<Asset>| asset.identity.bytes == bytes;
        let changed = || Arc::new(Asset::new(path, Bytes::copy_from_slice(&bytes)));
        Some(built_in.filter(is_same).unwrap_or_else(changed))
    }
}

/// Whether a file of the folder is part of the page: declarations of types and notes are for its authors. A path that leads out of the folder is none.
fn is_served(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = |name: &str| !name.starts_with('.') && name.bytes().all(is_plain);
    let is_for_authors = path.ends_with(".d.ts") || path.ends_with(".md");
    !is_for_authors && path.split('/').all(|name| !name.is_empty() && is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths of files below a folder, sorted.
    fn files(folder: &Path, below: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{below}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => files(&entry.path(), &format!("{path}/"), found),
                false => found.push(path),
            }
        }
        found.sort();
    }

    fn page() -> (PathBuf, Vec<String>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut found = Vec::new();
        files(&folder, "", &mut found);
        (folder, found)
    }

    const HEAD: &str = "\
//! The table of the files of the page: `CHATTERBOX_RECORD=1 cargo test -p chatterbox-server --lib assets` writes it.

macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/page/\", $path)))),*]
    };
}

pub(super) static FILES: &[(&str, &[u8])] = files![
";

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let (_, found) = page();
        let served: Vec<_> = found.iter().filter(|path| is_served(path)).collect();
        let lines: String = served.iter().map(|path| format!("    {path:?},\n")).collect();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gateway/web/assets/table.rs");
        let expected = format!("{HEAD}{lines}];\n");
        if std::env::var_os("CHATTERBOX_RECORD").is_some() {
            std::fs::write(&file, &expected).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
        let left_out = found.iter().filter(|path| !is_served(path));
        for path in left_out {
            assert!(path.ends_with(".d.ts") || path.ends_with(".md"), "{path}: rename it");
        }
    }

    #[test]
    fn compressed_files_are_short_and_the_same_files() {
        let assets = Assets { folder: None, ..Assets::new() };
        let mut compressed = 0;
        for (path, asset) in &assets.built_in {
            let Some(gzip) = asset.gzip() else {
                compressed += asset.identity.bytes.len();
                continue;
            };
            compressed += gzip.bytes.len();
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&gzip.bytes[..]).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, asset.identity.bytes, "{path}");
            assert_ne!(gzip.etag, asset.identity.etag);
            // Only once: the bytes are those of before.
            assert_eq!(gzip.bytes.as_ptr(), asset.gzip().unwrap().bytes.as_ptr());
        }
        assert!(compressed < 200_000, "the page takes {compressed} bytes");
        let noise = Bytes::from_static(&[0x9C, 0x31, 0x07]);
        assert!(Asset::new("noise.png", noise).gzip().is_none());
    }

    #[test]
    fn a_path_names_a_file_of_the_page_or_nothing() {
        let (folder, _) = page();
        let built_in = Assets { folder: None, ..Assets::new() };
        let read = Assets { folder: Some(folder), ..Assets::new() };
        for assets in [built_in, read] {
            let index = assets.get("/").unwrap();
            assert_eq!(index.content_type, "text/html; charset=utf-8");
            let etag = |path| assets.get(path).unwrap().identity.etag.clone();
            assert_eq!(etag("/"), etag("/index.html"));
            assert_eq!(etag("/").len(), 34);
            assert_eq!(assets.get("/style.css").unwrap().content_type, "text/css; charset=utf-8");
            assert_ne!(etag("/"), etag("/style.css"));
            for path in [
                "",
                "index.html",
                "//index.html",
                "/./index.html",
                "/../Cargo.toml",
                "/state/../index.html",
                "/state/../../Cargo.toml",
                "/state",
                "/state/",
                "/state/types.d.ts",
                "/vendor/README.md",
                "/%69ndex.html",
                "/index.html%00",
                "/..%2fCargo.toml",
                "/\\..\\Cargo.toml",
                "/C:/index.html",
            ] {
                assert!(assets.get(path).is_none(), "{path}");
            }
        }
    }
}
