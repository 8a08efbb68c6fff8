//! What a run tells: a table for people, and one line of JSON for programs.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::authorization_server::Verdict;
use crate::faults::Run;
use crate::promises::Violation;

/// One step, for who watches.
pub fn say(step: &str) {
    eprintln!("chaos: {step}");
}

pub fn tell(run: &Run, took: Duration) {
    let (figures, records) = (run.figures(), run.stage.server.records());
    let struck = run.stage.struck.lock().unwrap().clone();
    let issued = records.iter().filter(|record| record.verdict == Verdict::Issued).count();
    let mut refused: HashMap<&str, usize> = HashMap::new();
    records
        .iter()
        .filter(|record| record.verdict == Verdict::RefreshTokenRefused)
        .for_each(|record| *refused.entry(&record.credentials).or_default() += 1);
    let most_refresh_tokens = refused.values().copied().max().unwrap_or_default();
    let metered = [
        ("token requests", records.len() as u64),
        ("tokens issued", issued as u64),
        ("requests to the API server", run.stage.ways.requests.load(Ordering::SeqCst)),
        ("processes of the operator", run.operators.starts()),
        ("log searched, MB", run.operators.logged() / 1_000_000),
    ];
    let mut lines = vec![format!("seed {}, {:.0} s", run.settings.seed, took.as_secs_f64()), String::new()];
    lines.extend(run.wanted().iter().map(|name| format!("{name:<50} {:>6}", struck.get(name).copied().unwrap_or_default())));
    lines.push(String::new());
    lines.extend(figures.checks.iter().map(|(invariant, count)| format!("{:<68} {count:>8} checks", invariant.to_string())));
    lines.push(format!("{:<68} {:>8}", "  of those for a token, excused by a fault", figures.excused));
    lines.push(String::new());
    lines.extend(metered.iter().map(|(name, count)| format!("{name:<50} {count:>8}")));
    let seconds = [
        ("longest time without a token that there could have been", figures.longest_gap),
        ("latest renewal while nothing was wrong", figures.latest_renewal),
        ("worst delay of a status", figures.worst_status),
    ];
    lines.extend(seconds.iter().map(|(name, time)| format!("{name:<58} {:>6.1} s", time.as_secs_f64())));
    lines.push(format!("  {}", figures.worst_status_of));
    lines.push(format!("{:<58} {:>6}", "most refusals of the same credentials within the hour", figures.most_refusals));
    lines.push(format!("{:<58} {:>6}", "most refusals of the same refresh token", most_refresh_tokens));
    lines.push(format!("{:<58} {:>6}", "sources held back after crashes at the end", figures.held_back.len()));
    lines.push(format!("{:<58} {:>6}", "spent refresh tokens presented (rotation lost)", figures.rotations_lost));
    lines.push(format!("{:<58} {:>6}", "of which told to a person, with the grant RefreshToken", run.told()));
    let happened = run.stage.folder.join("timeline.txt");
    _ = fs::write(&happened, run.stage.timeline.last(usize::MAX));
    lines.push(format!("all that happened: {}; the operator's logs are beside it", happened.display()));
    eprintln!("\n{}\n", lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"));
    let checks: HashMap<String, u64> = figures.checks.iter().map(|(invariant, count)| (format!("{invariant:?}"), *count)).collect();
    let line = json!({
        "seed": run.settings.seed, "seconds": took.as_secs(), "faults": struck, "checks": checks, "checksExcused": figures.excused,
        "tokenRequests": records.len(), "refreshes": issued, "longestAvoidableGapSeconds": figures.longest_gap.as_secs_f64(),
        "latestRenewalSeconds": figures.latest_renewal.as_secs_f64(), "worstStatusDelaySeconds": figures.worst_status.as_secs_f64(),
        "mostRefusalsOfOneCredential": figures.most_refusals, "mostRefusalsOfOneRefreshToken": most_refresh_tokens,
        "heldBackAfterCrashes": figures.held_back, "rotationsLost": figures.rotations_lost, "rotationsTold": run.told(), "processes": run.operators.starts(),
    });
    println!("{line}");
}

pub fn tell_violation(run: &Run, violation: &Violation) {
    eprintln!("VIOLATION: {}", violation.invariant);
    eprintln!("  of:    {}", violation.concerns);
    eprintln!("  facts: {}", violation.facts);
    eprintln!("  the last of what was done and happened:\n{}", run.stage.timeline.last(30));
    let began = run.stage.timeline.began;
    let about = run.stage.server.records();
    let about: Vec<_> = about.iter().filter(|record| record.source.split('#').next() == Some(violation.concerns.as_str())).collect();
    eprintln!("  the last requests of the source:");
    for record in &about[about.len().saturating_sub(12)..] {
        let at = record.at.duration_since(began).as_secs_f64();
        eprintln!("    {at:7.1} s  {} {:?}{}", record.grant, record.verdict, if record.answered { "" } else { ", answer lost" });
    }
    eprintln!("  seed {}; again by: {}", run.settings.seed, run.settings.replay());
}
