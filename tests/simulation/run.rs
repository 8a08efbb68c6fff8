//! Runs seeds on all cores, and tells what they have shown.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::day::{self, live};
use crate::trace::Reader;

/// So many seeds run in every `cargo test`.
pub const FEW: u64 = 40;
/// Each seed that this divides is lived twice: it must take the same steps.
const REPEATED: u64 = 10;
/// After so many seeds with a violation nothing new is learnt.
const FAILURES_MAX: usize = 20;

/// What has been seen over many seeds.
#[derive(Default)]
struct Seen {
    steps: u64,
    /// By name: how often, and in how many seeds.
    counts: BTreeMap<&'static str, (u64, u64)>,
    failures: Vec<u64>,
}

/// Runs one seed twice: the second time told step by step, after it was seen that both are the same.
pub fn replay(seed: u64) -> ExitCode {
    let before = live(seed, Reader::Comparison);
    let result = live(seed, Reader::People);
    for (name, count) in &result.seen {
        println!("{count:>8}  {name}");
    }
    println!("seed {seed}: {} steps, trace {:016x}", result.steps, result.hash);
    for violation in &result.violations {
        println!("{violation}");
    }
    if before.hash != result.hash {
        println!("VIOLATED determinism: trace {:016x} before", before.hash);
    }
    if result.violations.is_empty() && before.hash == result.hash { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs many seeds.
pub fn many(from: u64, count: u64, is_told: bool) -> ExitCode {
    let began = Instant::now();
    let (next, seen) = (AtomicU64::new(from), Mutex::new(Seen::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count || seen.lock().unwrap().failures.len() >= FAILURES_MAX {
                        return;
                    }
                    let is_repeated = seed % REPEATED == 0;
                    let reader = if is_repeated { Reader::Comparison } else { Reader::Nobody };
                    let result = live(seed, reader);
                    let again = is_repeated.then(|| live(seed, reader));
                    seen.lock().unwrap().take(seed, result, again.as_ref());
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    let took = began.elapsed();
    if is_told {
        seen.tell(count);
    }
    let mean = seen.steps / count.max(1);
    println!(
        "{count} simulated days of 24 hours in {:.1} s on {threads} cores, {mean} steps each: {} with a violation",
        took.as_secs_f64(),
        seen.failures.len()
    );
    if seen.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Seen {
    fn take(&mut self, seed: u64, result: day::Outcome, again: Option<&day::Outcome>) {
        self.steps += result.steps;
        for (name, count) in result.seen {
            let entry = self.counts.entry(name).or_default();
            *entry = (entry.0 + count, entry.1 + 1);
        }
        let mut violations = result.violations;
        if again.is_some_and(|again| again.hash != result.hash) {
            violations.push("VIOLATED determinism: the same seed took other steps the second time".to_owned());
        }
        if let Some(first) = violations.first() {
            println!("seed {seed}: {first}\n    replay: cargo test --test simulation -- replay --seed {seed}");
            self.failures.push(seed);
        }
    }

    fn tell(&self, seeds: u64) {
        println!("{:>12} {:>10}  what was seen", "times", "seeds");
        for (name, (count, in_seeds)) in &self.counts {
            println!("{count:>12} {in_seeds:>10}  {name}");
        }
        println!("{seeds} seeds");
    }
}
