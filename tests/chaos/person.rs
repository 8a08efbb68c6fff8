//! The person behind the refresh tokens: gives another one when told that the one there was is lost.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::authorization_server::Verdict;
use crate::bounds;
use crate::faults::Run;
use crate::promises::{Invariant, Violation};
use crate::sources::{Kind, Source};
use crate::timeline::Scope;

/// How long a rotated refresh token that is lost may take to be told.
const TOLD: Duration = Duration::from_secs(100);

/// The person who has given a refresh token that is all there is: gives another one when told that it is lost.
pub async fn log_on_again(run: Arc<Run>) {
    let mut seen = 0;
    let mut busy = JoinSet::new();
    let mut cared_for: HashSet<String> = HashSet::new();
    loop {
        while let Some(done) = busy.try_join_next() {
            cared_for.remove(&done.unwrap());
        }
        let records = run.stage.server.records_from(seen);
        seen += records.len();
        let sources = run.stage.of(&[Kind::RefreshToken]);
        for record in records.into_iter().filter(|record| record.verdict == Verdict::RefreshTokenRefused) {
            let Some(source) = sources.iter().find(|source| source.header == record.source) else { continue };
            let is_over = source.needed.is_some_and(|needed| needed > record.at);
            if !is_over && cared_for.insert(source.key()) {
                busy.spawn(care(Arc::clone(&run), source.clone()));
            }
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Waits until the source says that its refresh token is lost, and logs on again.
async fn care(run: Arc<Run>, source: Source) -> String {
    let key = source.key();
    let ongoing = run.stage.timeline.begin(Scope::Source(key.clone()), format!("the refresh token of {key} is lost"));
    let deadline = Instant::now() + TOLD;
    while !run.is_told(&key, "RefreshTokenInvalid") {
        if Instant::now() > deadline {
            let facts = format!("its refresh token was refused {} s ago, and its status does not say so", TOLD.as_secs());
            run.violation.send_replace(Some(Violation { invariant: Invariant::StatusIsTrue, concerns: key.clone(), facts }));
            return key;
        }
        sleep(Duration::from_millis(300)).await;
    }
    run.told.fetch_add(1, Ordering::SeqCst);
    let mut data = source.data.clone();
    data.insert("refresh_token".to_owned(), run.stage.server.log_on(&source.header, &source.client));
    run.stage.needs(&key);
    run.stage.secret(&source.namespace, &source.credentials, &data).await;
    run.stage.needs(&key);
    run.stage.timeline.end(ongoing, bounds::ATTEMPT);
    key
}
