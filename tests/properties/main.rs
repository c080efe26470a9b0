//! What holds for anything, shown by chance: thousands of cases through the C API, against services
//! inside this process. Each test prints its seed; PROPERTIES_SEED has it tried again, and
//! PROPERTIES_TIMES has all make so many times as many rounds.

mod answers;
mod c_api;
mod http_service;
mod outcomes;
#[path = "../support/request.rs"]
mod request;
mod requests;

/// The seed of a test's chance, once printed, and the number of its rounds.
fn chance(test: &str, rounds: u64) -> (u64, u64) {
    let told = |name| std::env::var(name).ok().map(|it| it.parse::<u64>().expect("a number"));
    let seed = told("PROPERTIES_SEED").unwrap_or(20_261_123);
    let rounds = rounds * told("PROPERTIES_TIMES").unwrap_or(1);
    println!("{test}: {rounds} rounds, PROPERTIES_SEED={seed}");
    (seed, rounds)
}
