//! Whatever pieces the bytes come in, the data is the same.

use std::io::IoSlice;

use proptest::prelude::*;
use rustls::crypto::ring;
use rustls::version;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::kit::{Pieces, client_config, connect, noise, server_config, soon};

/// Sizes of which not all are nothing: that would wait for ever.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![0..=3_usize, 1..=60_usize, 1..=40_000_usize];
    prop::collection::vec(size, 0..12).prop_map(|mut sizes| {
        sizes.push(700);
        sizes
    })
}

fn messages() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1..200_usize, 1..20_000_usize], 0..5)
}

async fn write_together(writer: &mut (impl AsyncWrite + Unpin), messages: &[Vec<u8>]) {
    let mut slices: Vec<_> = messages.iter().map(|message| IoSlice::new(message)).collect();
    let mut slices = &mut slices[..];
    while !slices.is_empty() {
        let count = writer.write_vectored(slices).await.unwrap();
        assert!(count > 0);
        IoSlice::advance_slices(&mut slices, count);
    }
}

/// Both sides say these messages at the same time. The server reads `step` bytes at a time, and writes three messages at a time.
async fn talk(
    is_old: bool,
    room: usize,
    pieces: Pieces,
    step: usize,
    up: &[Vec<u8>],
    down: &[Vec<u8>],
) {
    let version = if is_old { &version::TLS12 } else { &version::TLS13 };
    let config = client_config(ring::default_provider(), &[version]);
    let (client, server) = connect(config, server_config(), room, pieces).await;
    let (mut client_reader, mut client_writer) = tokio::io::split(client);
    let (mut reader, mut writer) = tokio::io::split(server);
    let saying = async {
        for message in up {
            client_writer.write_all(message).await.unwrap();
            client_writer.flush().await.unwrap();
        }
        client_writer.shutdown().await.unwrap();
    };
    let answering = async {
        for messages in down.chunks(3) {
            write_together(&mut writer, messages).await;
        }
        writer.flush().await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let hearing = async {
        let (mut heard, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read(&mut buffer).await.unwrap() {
                0 => return heard,
                count => heard.extend_from_slice(&buffer[..count]),
            }
        }
    };
    let reading = async {
        let mut read = Vec::new();
        client_reader.read_to_end(&mut read).await.unwrap();
        read
    };
    let ((), (), heard, read) = tokio::join!(saying, answering, hearing, reading);
    assert!(heard == up.concat() && read == down.concat());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pieces_carry_the_same_data(
        is_old: bool,
        room in 1..6_000_usize,
        pieces in (sizes(), sizes()),
        step in prop_oneof![1..20_usize, 1..40_000_usize],
        up in messages(),
        down in messages(),
    ) {
        let bytes = |sizes: &[usize]| -> Vec<Vec<u8>> {
            sizes.iter().enumerate().map(|(seed, size)| noise(seed, *size)).collect()
        };
        let (up, down) = (bytes(&up), bytes(&down));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(soon(talk(is_old, room, pieces, step, &up, &down)));
    }
}
