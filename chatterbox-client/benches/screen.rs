//! A frame of the full screen: `cargo bench -p chatterbox-client --bench screen`.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a bench")]

use chatterbox_client::bench::Screen;
use divan::{Bencher, black_box};
use tokio::time::Instant;

fn main() {
    divan::main();
}

/// So much was said: ten times what a session keeps.
const MESSAGES: u64 = 100_000;

/// Columns and rows.
const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (200, 60)];

fn frames(bencher: Bencher<'_, '_>, size: (u16, u16), step: impl Fn(&mut Screen)) {
    let mut screen = Screen::new(MESSAGES, size, Instant::now());
    bencher.bench_local(|| {
        step(&mut screen);
        assert!(black_box(screen.frame()) > 0);
    });
}

#[divan::bench(args = SIZES)]
fn a_message_comes(bencher: Bencher<'_, '_>, size: (u16, u16)) {
    frames(bencher, size, Screen::message);
}

#[divan::bench(args = SIZES)]
fn a_key_is_typed(bencher: Bencher<'_, '_>, size: (u16, u16)) {
    frames(bencher, size, Screen::key);
}

#[divan::bench(args = SIZES)]
fn a_page_up(bencher: Bencher<'_, '_>, size: (u16, u16)) {
    frames(bencher, size, Screen::page_up);
}

#[divan::bench(args = SIZES)]
fn a_page_up_in_the_middle(bencher: Bencher<'_, '_>, size: (u16, u16)) {
    frames(bencher, size, |screen| {
        screen.to_the_middle();
        screen.page_up();
    });
}
