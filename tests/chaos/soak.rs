//! The soak run: many sources with short tokens for a long time and no faults. Memory, requests, lateness. `make soak`.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::authorization_server::{Client, Verdict};
use crate::bounds;
use crate::observer;
use crate::operators::Operators;
use crate::random::{Random, seed};
use crate::report::say;
use crate::settings::number;
use crate::sources::{Kind, Source};
use crate::stage::Stage;

/// Between two samples.
const SAMPLE: Duration = Duration::from_secs(10);
/// A list of all of them is some megabytes, and nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many sources share a client, a Secret and a namespace.
const SHARING: u64 = 10;
/// Memory is flat if a whole run's growth by the slope is less than this share of it. Asked of long runs only.
const GROWTH_MAX: f64 = 0.1;
const LONG: Duration = Duration::from_secs(900);
/// What Linux counts memory in on the machines that this runs on.
const PAGE: u64 = 4096;

/// What a run is.
struct Settings {
    lasts: Duration,
    sources: u64,
    life: u64,
    program: PathBuf,
}

impl Settings {
    fn life(&self) -> Duration {
        Duration::from_secs(self.life)
    }
}

/// What was seen at one time.
#[derive(Clone, Copy, Debug)]
struct Sample {
    minute: f64,
    resident: u64,
    token_requests: usize,
    api_requests: u64,
    /// Sources without a valid token. None: the API server did not answer the observer in time.
    without: Option<usize>,
}

/// What a run came to.
struct Outcome {
    filled: Duration,
    samples: Vec<Sample>,
    /// How much later than at its latest due time each renewal came, in seconds, sorted.
    lateness: Vec<f64>,
    restarts: u64,
}

impl Outcome {
    /// How many sources were seen without a valid token, over all looks.
    fn expired_seen(&self) -> usize {
        self.samples.iter().filter_map(|sample| sample.without).sum()
    }

    fn looks(&self) -> usize {
        self.samples.iter().filter(|sample| sample.without.is_some()).count()
    }

    /// Renewals that were asked for when the token before had expired: what a look every ten seconds may miss.
    fn renewed_too_late(&self, settings: &Settings) -> usize {
        let bridged = settings.life().saturating_sub(due_after(settings.life()));
        self.lateness.iter().filter(|late| **late >= bridged.as_secs_f64()).count()
    }
}

/// When a token of such a life is renewed at the latest: a third before its end.
fn due_after(life: Duration) -> Duration {
    (life * 67 / 100).max(bounds::FLOOR)
}

pub async fn run() {
    let settings = Settings {
        lasts: Duration::from_secs(number("SOAK_SECONDS").unwrap_or(1800)),
        sources: number("SOAK_SOURCES").unwrap_or(2000),
        life: number("SOAK_TOKEN_SECONDS").unwrap_or(60),
        program: std::env::var_os("CHAOS_OPERATOR").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tokensource")), PathBuf::from),
    };
    let mut stage = Stage::set("soak", &Random::of(seed())).await;
    stage.patience = PATIENCE;
    say(&format!("{} sources with tokens of {} s for {} s", settings.sources, settings.life, settings.lasts.as_secs()));
    fill(&stage, &settings).await;
    let operators = stage.operators(settings.program.clone(), "info".to_owned(), Vec::new()).await;
    let filled = until_filled(&stage, &settings).await;
    say(&format!("all have a token after {:.0} s", filled.as_secs_f64()));
    let first_record = stage.server.requests();
    let samples = sample(&stage, &operators, &settings).await;
    let leaks = operators.leaks().await;
    let outcome = Outcome { filled, samples, lateness: lateness(&stage, &settings, first_record), restarts: operators.starts() - 2 };
    tell(&settings, &outcome);
    Box::pin(stage.end()).await;
    assert!(leaks.is_empty(), "{leaks:?}");
    assert_eq!(outcome.restarts, 0, "the operator ended by itself");
    assert!(outcome.looks() * 10 >= outcome.samples.len() * 9, "the observer saw nothing in more than one look of ten");
    assert_eq!((outcome.expired_seen(), outcome.renewed_too_late(&settings)), (0, 0), "there were expired tokens");
    if settings.lasts >= LONG {
        let growth = growth(&settings, &outcome.samples);
        assert!(growth < GROWTH_MAX, "memory grows by {:.1} % in such a run", growth * 100.0);
    }
}

async fn fill(stage: &Stage, settings: &Settings) {
    let clients = settings.sources.div_ceil(SHARING);
    for number in 0..clients.div_ceil(20) {
        stage.namespace(&format!("soak-{number}")).await;
    }
    let all: Vec<Source> = (0..settings.sources).map(|number| source(stage, settings, number)).collect();
    stream::iter(all).for_each_concurrent(16, |source| stage.add(source)).await;
}

fn source(stage: &Stage, settings: &Settings, number: u64) -> Source {
    let client = number / SHARING;
    let (namespace, id) = (format!("soak-{}", client / 20), format!("client-{client}"));
    let (name, door) = (format!("source-{number}"), usize::try_from(client % 3).unwrap());
    // The same secret for all that share it, without keeping it anywhere else: the first one makes it.
    let known = stage.server.secret_of(&id);
    let secret = known.unwrap_or_else(|| {
        let secret = stage.mark.secret();
        let life = settings.life();
        stage.server.register(&id, Client { secret: secret.clone(), life, users: HashMap::new(), rotates: false });
        secret
    });
    let (header, credentials) = (format!("{namespace}/{name}"), format!("{id}-credentials"));
    let spec = json!({
        "tokenURL": stage.doors[door].url(),
        "credentials": {"secretRef": {"name": credentials}},
        "request": {"headers": {"X-Source": header}},
    });
    let data = HashMap::from([("client_id".to_owned(), id.clone()), ("client_secret".to_owned(), secret)]);
    Source { namespace, name, header, door, kind: Kind::Shared, client: id, credentials, spec, data, needed: None }
}

/// How many sources have no valid token. None: the API server did not answer in time.
async fn without(stage: &Stage) -> Option<usize> {
    let snapshot = observer::look(stage).await?;
    let sources = stage.sources.read().unwrap();
    let is_without = |key: &&String| {
        snapshot.secrets.get(*key).and_then(|secret| secret.token.as_ref()).is_none_or(|token| token.expires <= snapshot.from)
    };
    Some(sources.keys().filter(is_without).count())
}

async fn until_filled(stage: &Stage, settings: &Settings) -> Duration {
    let (began, limit) = (Instant::now(), Duration::from_secs(60 + settings.sources / 10));
    while without(stage).await != Some(0) {
        assert!(began.elapsed() < limit, "not all sources ever had a token");
        sleep(Duration::from_secs(1)).await;
    }
    began.elapsed()
}

async fn sample(stage: &Stage, operators: &Operators, settings: &Settings) -> Vec<Sample> {
    let (began, records) = (Instant::now(), stage.server.requests());
    let api_requests = stage.ways.requests.load(Ordering::SeqCst);
    let mut samples: Vec<Sample> = Vec::new();
    say("  minute   RSS MB   token requests   API requests   without a valid token");
    while began.elapsed() < settings.lasts {
        sleep(SAMPLE).await;
        let sample = Sample {
            minute: began.elapsed().as_secs_f64() / 60.0,
            resident: resident(operators).await,
            token_requests: stage.server.requests() - records,
            api_requests: stage.ways.requests.load(Ordering::SeqCst) - api_requests,
            without: without(stage).await,
        };
        if samples.len().is_multiple_of(6) || sample.without != Some(0) {
            let megabytes = sample.resident as f64 / 1e6;
            let without = sample.without.map_or("not seen".to_owned(), |count| count.to_string());
            say(&format!("  {:6.1} {megabytes:8.1} {:16} {:14} {without:>23}", sample.minute, sample.token_requests, sample.api_requests));
        }
        samples.push(sample);
    }
    samples
}

/// Of the larger process: the one that leads.
async fn resident(operators: &Operators) -> u64 {
    let pids = operators.pids().await;
    let pages = pids.iter().filter_map(|(_, pid)| {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        statm.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    pages.max().unwrap_or_default() * PAGE
}

fn lateness(stage: &Stage, settings: &Settings, from: usize) -> Vec<f64> {
    let mut last: HashMap<String, Instant> = HashMap::new();
    let mut late = Vec::new();
    for (number, record) in stage.server.records().into_iter().enumerate().filter(|(_, record)| record.verdict == Verdict::Issued) {
        if let Some(before) = last.insert(record.source, record.at)
            && number >= from
        {
            late.push(record.at.saturating_duration_since(before + due_after(settings.life())).as_secs_f64());
        }
    }
    late.sort_by(f64::total_cmp);
    late
}

/// By which share of itself memory grows in a whole run, by the slope.
fn growth(settings: &Settings, samples: &[Sample]) -> f64 {
    slope(samples) * settings.lasts.as_secs_f64() / 60.0 / mean(samples)
}

/// Least squares, in bytes a minute, over what follows the first sixth.
fn slope(samples: &[Sample]) -> f64 {
    let steady = &samples[samples.len() / 6..];
    let (count, mean) = (steady.len() as f64, mean(steady));
    let middle = steady.iter().map(|sample| sample.minute).sum::<f64>() / count;
    let products: f64 = steady.iter().map(|sample| (sample.minute - middle) * (sample.resident as f64 - mean)).sum();
    let squares: f64 = steady.iter().map(|sample| (sample.minute - middle).powi(2)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

fn mean(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.resident as f64).sum::<f64>() / samples.len() as f64
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn tell(settings: &Settings, outcome: &Outcome) {
    let Outcome { filled, samples, lateness, restarts } = outcome;
    let (first, last) = (samples[0], *samples.last().expect("a run longer than a sample"));
    let highest = samples.iter().map(|sample| sample.resident).max().unwrap_or_default();
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (slope, mean, growth) = (slope(samples) / 1e3, mean(samples) / 1e6, growth(settings, samples) * 100.0);
    let [median, late, latest] = [50, 99, 100].map(|percent| percentile(lateness, percent));
    let (expired, too_late, looks) = (outcome.expired_seen(), outcome.renewed_too_late(settings), outcome.looks());
    let (lasts, filled) = (settings.lasts.as_secs(), filled.as_secs_f64());
    say(&format!("{} sources, tokens of {} s, {lasts} s; first tokens after {filled:.0} s", settings.sources, settings.life));
    say(&format!(
        "RSS {:.1} MB at first, {:.1} MB at last, {mean:.1} MB in the mean, {:.1} MB at most; slope {slope:.1} kB a minute, {growth:.1} % in such a run",
        megabytes(first.resident),
        megabytes(last.resident),
        megabytes(highest)
    ));
    say(&format!(
        "{} token requests, {} renewals, {} requests to the API server, {restarts} restarts",
        last.token_requests,
        lateness.len(),
        last.api_requests
    ));
    say(&format!("expired tokens: {expired} seen in {looks} looks of {}, {too_late} by the token endpoint's records", samples.len()));
    say(&format!("later than due: {median:.1} s in the median, {late:.1} s for 1 in 100, {latest:.1} s at most"));
    let over_time: Vec<_> = samples.iter().map(|sample| ((sample.minute * 10.0).round() / 10.0, sample.resident / 1000)).collect();
    let line = json!({
        "soakSeconds": lasts, "sources": settings.sources, "tokenSeconds": settings.life, "filledSeconds": filled,
        "rssFirstMB": megabytes(first.resident), "rssLastMB": megabytes(last.resident), "rssMeanMB": mean, "rssHighestMB": megabytes(highest),
        "rssSlopeKBPerMinute": slope, "rssGrowthPercent": growth, "rssKBByMinute": over_time,
        "tokenRequests": last.token_requests, "renewals": lateness.len(), "apiRequests": last.api_requests, "restarts": restarts,
        "expiredTokensSeen": expired, "renewedTooLate": too_late, "looks": looks,
        "latenessSeconds": {"p50": median, "p99": late, "max": latest},
    });
    println!("{line}");
}
