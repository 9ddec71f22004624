//! Compressed bodies (`ZS-1` to `ZS-4`): the suite's own reading of their header, frames that are made by hand, and libzstd
//! for what is inside.

use std::io::Read as _;

/// The first bytes of a compressed body.
pub const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The largest window that may be used, in bytes.
pub const WINDOW: u64 = 8 << 20;

/// The longest body that the suite inflates.
const LONGEST: u64 = 96 << 20;

/// What a header says: `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    /// The size of the window in bytes; without one it is the size of the content.
    pub window: Option<u64>,
    /// How long the content is, in bytes.
    pub size: Option<u64>,
    /// The number of the dictionary, 0 for none.
    pub dictionary: u64,
    /// Whether a checksum stands behind the blocks.
    pub checksum: bool,
    /// How many bytes the header has, the magic included.
    pub length: usize,
}

/// Reads the header of a compressed body; `None` when it is none.
#[must_use]
pub fn header(body: &[u8]) -> Option<Header> {
    let descriptor = *body.strip_prefix(&MAGIC)?.first()?;
    let single = descriptor & 0x20 != 0;
    let mut at = MAGIC.len() + 1;
    let mut field = |bytes: usize| {
        let value = body.get(at..at + bytes)?;
        at += bytes;
        Some(value.iter().rev().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte)))
    };
    let window = if single {
        None
    } else {
        let byte = field(1)?;
        let power = 1_u64 << (10 + (byte >> 3));
        Some(power + (power >> 3) * (byte & 7))
    };
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
    let dictionary = field(dictionary)?;
    let size = match (descriptor >> 6, single) {
        (0, false) => None,
        (0, true) => Some(field(1)?),
        (1, _) => Some(field(2)? + 256),
        (2, _) => Some(field(4)?),
        _ => Some(field(8)?),
    };
    Some(Header { window, size, dictionary, checksum: descriptor & 4 != 0, length: at })
}

/// What is inside a compressed body, or what is wrong with it by `ZS-1` and `ZS-2`.
///
/// # Errors
/// In words, for a report.
pub fn inflate(body: &[u8]) -> Result<Vec<u8>, String> {
    let header = header(body).ok_or("its header is cut off")?;
    let size = header.size.ok_or("its header does not say how long it is inflated")?;
    if header.dictionary != 0 {
        return Err(format!("it needs the dictionary {}", header.dictionary));
    }
    let window = header.window.unwrap_or(size);
    if window > WINDOW {
        return Err(format!("its window has {window} bytes, and 8 MiB are the most"));
    }
    if size > LONGEST {
        return Err(format!("it announces {size} bytes"));
    }
    let frame = frame_length(body).ok_or("its blocks are cut off or damaged")?;
    if frame != body.len() {
        return Err(format!("{} bytes stand behind its end", body.len() - frame));
    }
    let inflated = unpack(body, size + 1)?;
    if inflated.len() as u64 != size {
        return Err(format!("it has {} bytes, and its header says {size}", inflated.len()));
    }
    Ok(inflated)
}

/// How many bytes the first frame of a compressed body has.
#[must_use]
pub fn frame_length(body: &[u8]) -> Option<usize> {
    zstd::zstd_safe::find_frame_compressed_size(body).ok()
}

/// What comes out of one or more frames, at most so many bytes.
///
/// # Errors
/// libzstd can't read it.
pub fn unpack(body: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| format!("libzstd can't inflate it: {error}");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(said)?;
    decoder.window_log_max(31).map_err(said)?;
    let mut inflated = Vec::new();
    decoder.take(most).read_to_end(&mut inflated).map_err(said)?;
    Ok(inflated)
}

/// Compresses a body as the norm wants it.
#[must_use]
pub fn compress(body: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(body, 3).unwrap_or_default()
}

/// A compressed body of `content` followed by so many spaces, which takes no memory to make.
#[must_use]
pub fn bomb(content: &[u8], spaces: u64) -> Vec<u8> {
    let spaces = std::io::repeat(b' ').take(spaces);
    let all = content.len() as u64 + spaces.limit();
    let make = || -> std::io::Result<Vec<u8>> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
        encoder.set_pledged_src_size(Some(all))?;
        let mut source = content.chain(spaces);
        std::io::copy(&mut source, &mut encoder)?;
        encoder.finish()
    };
    make().unwrap_or_default()
}

/// A frame that is made by hand: what its header says has nothing to do with what is in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Crafted {
    /// The byte of the window; without one the frame is a single segment, which has to have a size.
    pub window: Option<u8>,
    /// What it says about its size.
    pub size: Option<u32>,
    /// The number of a dictionary.
    pub dictionary: Option<u8>,
}

impl Crafted {
    /// A body with this header and the content in plain blocks.
    #[must_use]
    pub fn body(self, content: &[u8]) -> Vec<u8> {
        let mut descriptor = 0_u8;
        if self.size.is_some() {
            descriptor |= 0x80;
        }
        if self.window.is_none() {
            descriptor |= 0x20;
        }
        if self.dictionary.is_some() {
            descriptor |= 1;
        }
        let mut body = MAGIC.to_vec();
        body.push(descriptor);
        body.extend(self.window);
        body.extend(self.dictionary);
        body.extend(self.size.iter().flat_map(|size| size.to_le_bytes()));
        // A block of a small window has 1,024 bytes at most.
        let blocks = content.chunks(1024).count().max(1);
        for (n, block) in content.chunks(1024).enumerate() {
            let length = u32::try_from(block.len()).unwrap_or_default();
            let header = (length << 3) | u32::from(n + 1 == blocks);
            body.extend(header.to_le_bytes().get(..3).unwrap_or_default());
            body.extend_from_slice(block);
        }
        body
    }
}

/// A body whose header says nothing any more that could keep anybody from inflating it; the blocks are as they were.
#[must_use]
pub fn unlabelled(body: &[u8]) -> Option<Vec<u8>> {
    let header = header(body)?;
    let checksum = if header.checksum { 4 } else { 0 };
    let mut plain = MAGIC.to_vec();
    // A window of 8 MiB, which is enough for blocks of any size.
    plain.extend([checksum, 13 << 3]);
    plain.extend_from_slice(body.get(header.length..)?);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_inflated_and_judged() {
        let text = b"what is compressed ".repeat(200);
        let body = compress(&text);
        assert_eq!(inflate(&body).unwrap(), text);
        assert_eq!(header(&body).unwrap().size, Some(text.len() as u64));
        assert!(inflate(&[&body[..], b"x"].concat()).unwrap_err().contains("behind"));
        assert!(inflate(&[&body[..], &body].concat()).unwrap_err().contains("behind"));
        assert!(inflate(&body[..body.len() - 1]).is_err());
        assert!(inflate(&bomb(b"{}", 200 << 20)).unwrap_err().contains("announces"));
        let few = bomb(b"{}", 1000);
        assert_eq!(inflate(&few).unwrap().len(), 1002);
    }

    #[test]
    fn a_crafted_header_says_what_it_is_told_to() {
        let content = b"x".repeat(3000);
        let right = Crafted { size: Some(3000), ..Crafted::default() };
        assert_eq!(inflate(&right.body(&content)).unwrap(), content);
        let wrong = |crafted: Crafted| inflate(&crafted.body(&content)).unwrap_err();
        assert!(wrong(Crafted { window: Some(13 << 3), ..Crafted::default() }).contains("say how"));
        assert!(wrong(Crafted { window: Some(14 << 3), ..right }).contains("window"));
        assert!(wrong(Crafted { dictionary: Some(7), ..right }).contains("dictionary 7"));
        assert!(inflate(&Crafted { size: Some(2999), ..right }.body(&content)).is_err());
        for crafted in [
            right,
            Crafted { size: Some(9), ..right },
            Crafted { dictionary: Some(7), ..right },
            Crafted { window: Some(14 << 3), size: None, dictionary: None },
        ] {
            let plain = unlabelled(&crafted.body(&content)).unwrap();
            assert_eq!(unpack(&plain, 1 << 20).unwrap(), content);
        }
    }
}
