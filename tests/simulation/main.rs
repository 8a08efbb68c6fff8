//! The operator through days of simulated time, in a world that breaks: docs/simulation.md.
//!
//! ```console
//! $ make simulate                                                     # 10,000 seeds
//! $ cargo test --test simulation -- replay --seed 4711                # one of them, step by step
//! $ cargo test --profile simulation --test simulation -- capacity     # 100,000 sources, one slow endpoint
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that tells")]
#![allow(missing_docs, clippy::missing_panics_doc, clippy::should_implement_trait, clippy::similar_names, reason = "no library")]
#![allow(clippy::unused_async, reason = "what happens at once has the type of what takes time")]
#![allow(clippy::needless_for_each, clippy::match_same_arms, clippy::single_match_else, reason = "each arm says why")]
#![allow(clippy::needless_pass_by_value, reason = "what happens owns the world it happens in")]

pub use tokensource::{api, oauth, observability, token_source};

mod capacity;
pub mod clock;
pub mod controller;
mod day;
mod happenings;
mod population;
pub mod process;
pub mod random;
mod run;
pub mod trace;
pub mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let number = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    match words.first().copied() {
        Some("replay") => run::replay(number("--seed").expect("replay --seed NUMBER")),
        Some("capacity") => capacity::tell(),
        Some("run") => run::many(number("--from").unwrap_or(0), number("--seeds").unwrap_or(10_000), true),
        // As the test harness is called: without a word, with `simulation`, or with the name of other tests.
        None => run::many(0, run::FEW, false),
        Some(word) if "simulation".contains(word) => run::many(0, run::FEW, false),
        Some(_) => ExitCode::SUCCESS,
    }
}
