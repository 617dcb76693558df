//! Captures that other programs wrote, where a folder of them is at hand.

use std::path::PathBuf;

use super::read_windows;
use sipscan::capture::find;

#[test]
fn captures_of_the_folder_named_in_sipscan_captures_are_read_whole() {
    let Some(folder) = std::env::var_os("SIPSCAN_CAPTURES") else {
        return;
    };
    let found = find(&[PathBuf::from(folder)]);
    assert!(!found.sources.is_empty(), "the folder holds captures");
    for source in &found.sources {
        let path = source.path.display();
        let (frames, summary) = read_windows(source, 1 << 20);
        assert!(!frames.is_empty(), "{path} has frames");
        assert!(frames.len() as u64 <= summary.frames, "{path} numbers every frame");
        assert_eq!(frames, read_windows(source, 1000).0, "{path} does not depend on its windows");
    }
}
