//! A static library of somebody else's that is in Rust too, and brings as much of Rust's own library as
//! ours does: memory, text, threads, and a panic that is caught.

use std::collections::HashMap;
use std::panic::catch_unwind;

/// The number of different letters in "banana", counted on another thread; 0 unless a panic on the
/// way is caught.
#[unsafe(no_mangle)]
pub extern "C" fn other_count() -> u32 {
    std::panic::set_hook(Box::new(|_| ()));
    if catch_unwind(|| panic!("{}", String::from("caught"))).is_ok() {
        return 0;
    }
    let letters = std::thread::spawn(|| "banana".chars().map(|it| (it, ())).collect::<HashMap<_, _>>());
    letters.join().map_or(0, |it| it.len() as u32)
}
