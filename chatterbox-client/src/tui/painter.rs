//! The painter: draws scenes into cells, and gives the bytes that change the terminal from the last scene to this one.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use chatterbox_app::model::Model;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::draw::draw;
use super::notify::title;
use super::scene::{Drawn, Scene};

/// The cursor would be seen on its way.
const HIDE_CURSOR: &[u8] = b"\x1b[?25l";

/// Draws scenes.
pub(super) struct Painter {
    terminal: Terminal<CrosstermBackend<Bytes>>,
    bytes: Bytes,
    /// The title that the window has.
    title: String,
}

impl Painter {
    /// A painter of a screen with so many columns and rows.
    pub(super) fn new(size: (u16, u16)) -> io::Result<Self> {
        let bytes = Bytes::default();
        let backend = CrosstermBackend::new(bytes.clone());
        let viewport = Viewport::Fixed(Rect::new(0, 0, size.0, size.1));
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        Ok(Self { terminal, bytes, title: String::new() })
    }

    /// Begins anew: the screen has another size, or somebody else has written to it.
    pub(super) fn resize(&mut self, size: (u16, u16)) -> io::Result<()> {
        self.title.clear();
        self.terminal.resize(Rect::new(0, 0, size.0, size.1))
    }

    /// The bytes that show a scene, and what it shows.
    pub(super) fn paint(&mut self, scene: &Scene<'_>) -> io::Result<(Vec<u8>, Drawn)> {
        let mut drawn = Drawn::default();
        self.terminal.draw(|frame| drawn = draw(frame, scene))?;
        let mut bytes = HIDE_CURSOR.to_vec();
        bytes.append(&mut self.bytes.0.borrow_mut());
        if let Some(model) = scene.app.model() {
            bytes.extend(self.new_title(model));
        }
        Ok((bytes, drawn))
    }

    fn new_title(&mut self, model: &Model) -> Vec<u8> {
        let title = title(model);
        if title == self.title {
            return Vec::new();
        }
        self.title = title;
        format!("\x1b]2;{}\x07", self.title).into_bytes()
    }
}

/// What was written, shared with who wrote it.
#[derive(Debug, Clone, Default)]
struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
