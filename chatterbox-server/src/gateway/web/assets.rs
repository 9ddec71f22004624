//! The files of the page, which are part of the program.

#![allow(
    clippy::disallowed_methods,
    reason = "the edge: a debug build reads the files of the page"
)]

mod table;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hyper::header::HeaderValue;
use ring::digest;

/// A file.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    pub(super) bytes: Bytes,
    pub(super) content_type: HeaderValue,
    /// A name of these very bytes.
    pub(super) etag: HeaderValue,
}

impl Asset {
    fn new(path: &str, bytes: Bytes) -> Self {
        let hash = digest::digest(&digest::SHA256, &bytes);
        let mut etag = String::with_capacity(34);
        for byte in hash.as_ref().iter().take(16) {
            // Writing to a String does not fail.
            let _ = write!(etag, "{byte:02x}");
        }
        let etag = HeaderValue::try_from(format!("\"{etag}\""));
        let etag = etag.unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, content_type: HeaderValue::from_static(content_type(path)), etag }
    }
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
    built_in: HashMap<&'static str, Asset>,
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
            (*path, Asset::new(path, Bytes::from_static(bytes)))
        };
        Self {
            built_in: table::FILES.iter().map(asset).collect(),
            folder: folder.filter(|folder| folder.is_dir()),
        }
    }

    /// The file that the path of a request names.
    pub(super) fn get(&self, path: &str) -> Option<Asset> {
        let path = path.strip_prefix('/')?;
        let path = if path.is_empty() { "index.html" } else { path };
        match &self.folder {
            Some(folder) => {
                let bytes = is_served(path).then(|| std::fs::read(folder.join(path)).ok())??;
                Some(Asset::new(path, bytes.into()))
            }
            None => self.built_in.get(path).cloned(),
        }
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
    fn a_path_names_a_file_of_the_page_or_nothing() {
        let (folder, _) = page();
        let built_in = Assets { folder: None, ..Assets::new() };
        let read = Assets { folder: Some(folder), ..Assets::new() };
        for assets in [built_in, read] {
            let index = assets.get("/").unwrap();
            assert_eq!(index.content_type, "text/html; charset=utf-8");
            assert_eq!(index.etag, assets.get("/index.html").unwrap().etag);
            assert_eq!(index.etag.len(), 34);
            assert_eq!(assets.get("/style.css").unwrap().content_type, "text/css; charset=utf-8");
            assert_ne!(index.etag, assets.get("/style.css").unwrap().etag);
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
