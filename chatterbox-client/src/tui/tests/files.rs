//! Files on the screen: below the message that announces one, and in the status while they are on their way.

use chatterbox_app::{FileNews, FileWork};

use super::*;

fn with_a_file() -> World {
    let mut world = World::connected();
    world.gets(&WELCOME.replace("commands/1 ids/1", "commands/1 files/1 ids/1 meta/1"));
    world.gets(COMMANDS);
    world.asks(PromptKind::Chat(ScreenText::new("ann")));
    world.gets(&format!(
        r#"{{"MESSAGES": [["bob", "ALL", 1700000000, "as promised"]], "IDS": [200], "META": [{{"FILE": {{"FILE": "Qx7",
            "NAME": "../\u202enotes.pdf", "SIZE": 6, "SHA256": "{}", "UNTIL": 1700003600}}}}]}}"#,
        "07".repeat(32)
    ));
    world
}

#[test]
fn a_message_has_its_file_below_its_text() {
    let world = with_a_file();
    let wide = world.screen(200, 60);
    assert!(wide.contains("as promised"), "{wide}");
    let line = "\u{2913} _notes.pdf, 6 bytes, until 23:13; /save 200";
    assert!(wide.contains(line), "{wide}");
    // There may be no room for it in one row.
    for (width, height) in [(40, 12), (80, 24)] {
        let screen = world.screen(width, height);
        assert!(screen.contains("\u{2913} _notes.pdf"), "{screen}");
    }
}

#[test]
fn how_far_a_file_is_stands_in_the_status_with_a_bar_where_there_is_room() {
    let mut world = with_a_file();
    world.types("/save");
    assert!(matches!(world.app.file_work(true), Some(FileWork::Create { .. })));
    let effects = world.app.file_news(FileNews::Created { id: 1 }, NOW);
    world.take(effects);
    world.gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "SIZE": 6}}"#);
    world.gets(r#"{"FILE_CHUNK": {"FILE": "Qx7", "AT": 0, "DATA": "AAAA"}}"#);
    assert!(matches!(world.app.file_work(true), Some(FileWork::Write { .. })));
    let effects = world.app.file_news(FileNews::Written { id: 1, bytes: 3 }, NOW);
    world.take(effects);
    let wide = world.screen(120, 24);
    assert!(wide.contains("fetching _notes.pdf [#####.....] 50 % of 6 bytes"), "{wide}");
    let usual = world.screen(80, 24);
    assert!(usual.contains("\u{2913} _notes.pdf 50 %"), "{usual}");
    world.types("/cancel");
    let screen = world.screen(200, 60);
    assert!(screen.contains("_notes.pdf was not fetched: you have given it up"), "{screen}");
    assert!(!screen.contains("50 %"), "{screen}");
}
