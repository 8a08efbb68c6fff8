//! Waits until a server answers.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, StatusCode};

use crate::error::{Error, InFile};
use crate::process::Process;

const PAUSE: Duration = Duration::from_millis(100);
const TRIES: u32 = 3;

/// A client for readiness probes; with `ca`, the only one it trusts.
pub(crate) fn probe_client(ca: Option<&Path>) -> Result<Client, Error> {
    // Fails if the process has one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().no_proxy().timeout(Duration::from_secs(5));
    let builder = match ca {
        Some(path) => builder.tls_certs_only([Certificate::from_pem(&std::fs::read(path).in_file(path)?)?]),
        None => builder.tls_certs_only([]),
    };
    Ok(builder.build()?)
}

/// Waits until `url` answers 200, as long as all `processes` run and for `limit` at most. The last of them is the one waited for.
pub(crate) async fn until_ok(client: &Client, url: &str, processes: &mut [&mut Process], limit: Duration) -> Result<(), Error> {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        for process in processes.iter_mut() {
            process.check_running()?;
        }
        if client.get(url).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    let (name, log, last_lines) = processes.last().map(|p| (p.name().to_owned(), p.log().to_owned(), p.last_lines())).unwrap_or_default();
    Err(Error::NotReady { process: name, limit, log, last_lines })
}

/// Starts something again, three times in all, where another program took its port between choosing and listening.
pub(crate) async fn retried<T, F: Future<Output = Result<T, Error>>>(mut start: impl FnMut() -> F) -> Result<T, Error> {
    for _ in 1..TRIES {
        match start().await {
            Err(error) if error.is_port_taken() => {}
            other => return other,
        }
    }
    start().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn ended(last_lines: &str) -> Error {
        Error::Ended { process: "etcd".to_owned(), log: "etcd.log".into(), last_lines: last_lines.to_owned() }
    }

    #[tokio::test]
    async fn a_taken_port_is_tried_three_times_and_anything_else_once() {
        let tries = Cell::new(0);
        let failing = |last_lines: &'static str| {
            let tries = &tries;
            move || {
                tries.set(tries.get() + 1);
                async move { Err::<(), Error>(ended(last_lines)) }
            }
        };
        retried(failing("listen tcp 127.0.0.1:2379: bind: address already in use")).await.unwrap_err();
        assert_eq!(tries.replace(0), 3);
        retried(failing("unknown flag")).await.unwrap_err();
        assert_eq!(tries.get(), 1);
    }
}
