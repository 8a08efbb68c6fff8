//! What the fuzzers ask, in a short run: each question of `questions` with its seeds, with changes of them, and with any bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

mod questions;
mod seeds;

/// Changes of a seed: bytes that become others, then a piece that is left out, doubled, or taken from elsewhere in it.
#[derive(Debug, Clone)]
struct Change {
    seed: Index,
    bytes: Vec<(Index, u8)>,
    piece: (Index, Index),
    into: Option<Index>,
    keep: bool,
}

fn changes() -> impl Strategy<Value = Change> {
    let bytes = proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    (any::<Index>(), bytes, any::<(Index, Index)>(), any::<Option<Index>>(), any::<bool>())
        .prop_map(|(seed, bytes, piece, into, keep)| Change { seed, bytes, piece, into, keep })
}

impl Change {
    fn of(&self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.seed.get(seeds).clone();
        for (position, byte) in &self.bytes {
            let position = position.index(input.len());
            input[position] = *byte;
        }
        let (from, to) = (self.piece.0.index(input.len() + 1), self.piece.1.index(input.len() + 1));
        let piece = input[from.min(to)..from.max(to)].to_vec();
        match self.into {
            Some(into) if self.keep => {
                let into = into.index(input.len() + 1);
                input.splice(into..into, piece);
            }
            Some(_) => drop(input.drain(from.min(to)..from.max(to))),
            None => {}
        }
        input
    }
}

/// Asks one question; a failing input is told by proptest, made as small as it can be.
fn ask(name: &str, cases: u32) {
    let (_, question) = questions::ALL.into_iter().find(|(target, _)| *target == name).unwrap();
    let seeds = seeds::of(name);
    for seed in &seeds {
        question(seed);
    }
    question(&[]);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let asked = |input: &[u8]| {
        question(input);
        Ok(())
    };
    runner.run(&changes(), |change| asked(&change.of(&seeds))).unwrap();
    runner.run(&proptest::collection::vec(any::<u8>(), 0..200), |input| asked(&input)).unwrap();
}

#[test]
fn any_answer_has_a_meaning_and_shows_no_credential() {
    ask("answer", 400);
}

#[test]
fn any_pem_is_a_certificate_or_an_error() {
    ask("certificate", 100);
}

#[test]
fn any_credentials_are_found_or_missed_without_a_value_told() {
    ask("credentials", 300);
}

#[test]
fn any_file_of_destinations_is_converted_or_refused_without_a_secret_told() {
    ask("destination", 300);
}

#[test]
fn any_token_that_is_accepted_makes_a_secret() {
    ask("issue", 400);
}

#[test]
fn any_bytes_are_a_key_store_or_an_error() {
    ask("key_store", 100);
}

#[test]
fn any_template_is_rendered_within_its_bounds_or_refused() {
    ask("template", 400);
}

/// A fuzz target for each question, and no other.
#[test]
fn every_question_has_its_fuzz_target() {
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let targets: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\"")).collect();
    assert_eq!(targets, questions::ALL.map(|(name, _)| name));
    for (name, _) in questions::ALL {
        let target = fs::read_to_string(format!("{}/fuzz/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(target.contains(&format!("questions::{name}::ask(input)")), "{name}");
    }
}

/// With `FUZZ_CORPUS` in the environment the seeds are written there, a folder a target; `make fuzz` does so.
#[test]
fn every_question_has_seeds() {
    let corpus = std::env::var_os("FUZZ_CORPUS").map(PathBuf::from);
    for (name, _) in questions::ALL {
        let seeds = seeds::of(name);
        assert!(seeds.len() > 2, "{name} has {} seeds", seeds.len());
        let Some(folder) = corpus.as_ref().map(|corpus| corpus.join(name)) else { continue };
        fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
        }
    }
}
