#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/fuzzed/questions/mod.rs"]
#[allow(dead_code, reason = "each target asks one question")]
mod questions;

fuzz_target!(|input: &[u8]| questions::destination::ask(input));
