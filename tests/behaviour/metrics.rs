//! What a scraper and a reader of logs see of the running operator.

#![expect(clippy::float_cmp, reason = "what is compared is counted, or set, in whole numbers")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::{Operator, PATIENCE, Stage, eventually};

/// What Prometheus 3 sends.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

/// A scrape: values by series.
struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    async fn of(operator: &Operator) -> Self {
        let text = operator.metrics().await;
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap());
        Self(samples.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect())
    }

    fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or_else(|| panic!("{series} is not in {:#?}", self.0))
    }

    /// A series of a source in this namespace.
    fn of_source(&self, metric: &str, stage: &Stage, name: &str) -> f64 {
        self.value(&format!(r#"tokensource_{metric}{{namespace="{}",name="{name}"}}"#, stage.namespace))
    }

    fn tells_of(&self, label: &str) -> bool {
        self.0.keys().any(|series| series.contains(label))
    }
}

async fn until(operator: &Operator, what: &str, wanted: impl Fn(&Scrape) -> bool) -> Scrape {
    eventually(what, || async { wanted(&Scrape::of(operator).await) }).await;
    Scrape::of(operator).await
}

fn seconds(time: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>) -> f64 {
    f64::from(i32::try_from(time.unwrap().0.as_second()).unwrap())
}

const QUICK: [&str; 5] = ["--allow-http", "--allow-cidr", "127.0.0.0/8", "--min-refresh-interval", "1s"];

#[tokio::test]
async fn a_token_a_refusal_a_renewal_and_a_deletion_are_told() {
    let stage = Stage::set("metrics").await;
    let operator = stage.operator_with(&QUICK);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refusal = Step::Json { status: 401, body: json!({"error": "invalid_client"}) };
    endpoint.script("refused", vec![refusal]);
    stage.orders(&endpoint, vec![Step::Token { expires_in: 12 }, Step::Token { expires_in: 3600 }]).await;
    let spec = |suspend: bool| json!({"tokenURL": endpoint.url("refused"), "clientID": "c", "clientAuthentication": {"method": "None"}, "suspend": suspend});
    stage.source("refused", spec(false)).await;
    stage.source("suspended", spec(true)).await;
    let (ready, refused) = (stage.until_ready("orders").await, stage.until_refused("refused", "ClientAuthenticationFailed").await);
    let stalled = refused.has(ConditionType::Stalled);

    let scrape = until(&operator, "both are told", |scrape| {
        scrape.of_source("ready", &stage, "orders") > 0.0 && scrape.of_source("stalled", &stage, "refused") > 0.0
    })
    .await;
    assert!(stalled && scrape.of_source("ready", &stage, "refused") == 0.0 && scrape.of_source("stalled", &stage, "orders") == 0.0);
    assert_eq!(scrape.of_source("token_expiry_timestamp_seconds", &stage, "orders"), seconds(ready.0.expiration_time.as_ref()));
    assert_eq!(scrape.of_source("token_renewal_timestamp_seconds", &stage, "orders"), seconds(ready.0.renewal_time.as_ref()));
    assert_eq!((scrape.of_source("suspended", &stage, "suspended"), scrape.of_source("suspended", &stage, "orders")), (1.0, 0.0));
    let host = endpoint.url("refused").split('/').nth(2).unwrap().to_owned();
    let requests =
        |result: &str| format!(r#"tokensource_token_requests_total{{host="{host}",grant="client_credentials",result="{result}"}}"#);
    assert_eq!((scrape.value(&requests("TokenIssued")), scrape.value(&requests("ClientAuthenticationFailed"))), (1.0, 1.0));
    assert_eq!(scrape.value(&format!(r#"tokensource_token_request_duration_seconds_count{{host="{host}"}}"#)), 2.0);

    assert!(endpoint.wait_for("orders", 2, PATIENCE).await);
    let scrape = until(&operator, "the renewal is told", |scrape| scrape.value("tokensource_refresh_lateness_seconds_count") == 1.0).await;
    assert!((0.0..30.0).contains(&scrape.value("tokensource_refresh_lateness_seconds_sum")));
    assert_eq!((scrape.value("tokensource_expired_tokens_total"), scrape.value("tokensource_rejected_attempts_saved_total")), (0.0, 0.0));
    assert_eq!(scrape.value("tokensource_backlog"), 0.0, "the stalled and the suspended one do not wait for the operator");
    assert!(scrape.value("tokensource_reconcile_duration_seconds_count") >= 4.0);
    assert!(scrape.value("tokensource_reconcile_duration_seconds_sum") < 120.0);

    stage.delete_source("refused").await;
    let scrape = until(&operator, "its series are gone", |scrape| !scrape.tells_of(r#"name="refused""#)).await;
    assert!(scrape.of_source("ready", &stage, "orders") > 0.0 && scrape.value(&requests("ClientAuthenticationFailed")) > 0.0);
    the_requests_are_told(&scrape);
    the_process_is_told(&scrape);
}

fn the_requests_are_told(scrape: &Scrape) {
    let requests = |verb: &str, resource: &str, code: u16| {
        scrape.value(&format!(r#"tokensource_kubernetes_requests_total{{verb="{verb}",resource="{resource}",code="{code}"}}"#))
    };
    assert_eq!((requests("get", "version", 200), requests("patch", "secrets", 201)), (1.0, 1.0), "the target Secret is made once");
    for (verb, resource, code) in [
        ("list", "tokensources", 200),
        ("watch", "tokensources", 200),
        ("watch", "secrets", 200),
        ("get", "secrets", 200),
        ("patch", "secrets", 200),
        ("patch", "tokensources/status", 200),
        ("create", "events", 201),
    ] {
        assert!(requests(verb, resource, code) >= 1.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test looks at the world's clock")]
fn the_process_is_told(scrape: &Scrape) {
    let now = f64::from(i32::try_from(Timestamp::now().as_second()).unwrap());
    let started = scrape.value("process_start_time_seconds");
    assert!((now - 900.0..now + 2.0).contains(&started), "started at {started}, and it is {now}");
    assert!((0.01..900.0).contains(&scrape.value("process_cpu_seconds_total")));
    let resident = scrape.value("process_resident_memory_bytes");
    assert!((1e6..2e9).contains(&resident) && resident < scrape.value("process_virtual_memory_bytes"));
    let open = scrape.value("process_open_fds");
    assert!(open > 5.0 && open < scrape.value("process_max_fds"));
}

#[tokio::test]
async fn an_expired_token_counts_once_and_then_waits_in_the_backlog() {
    let stage = Stage::set("metrics-expiry").await;
    let operator = stage.operator_with(&QUICK);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.orders(&endpoint, vec![Step::Token { expires_in: 5 }, Step::Status(503)]).await;
    stage.until_ready("orders").await;
    stage.until("orders", "expired", |status| status.is(ConditionType::Ready, ConditionStatus::False)).await;
    until(&operator, "expired and waiting", |scrape| {
        scrape.of_source("ready", &stage, "orders") == 0.0
            && scrape.value("tokensource_expired_tokens_total") == 1.0
            && scrape.value("tokensource_backlog") == 1.0
    })
    .await;
    let sent = endpoint.count("orders");
    assert!(endpoint.wait_for("orders", sent + 2, PATIENCE).await);
    assert_eq!(Scrape::of(&operator).await.value("tokensource_expired_tokens_total"), 1.0);
}

#[tokio::test]
async fn each_scraper_gets_the_format_that_it_reads() {
    let stage = Stage::set("metrics-format").await;
    let operator = stage.operator();
    let (content_type, text) = operator.metrics_for(PROMETHEUS).await;
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE tokensource_expired_tokens counter\n"));
    let (content_type, text) = operator.metrics_for("text/plain;version=0.0.4;q=1,*/*;q=0.1").await;
    assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(!text.contains("# EOF") && text.contains("# TYPE tokensource_expired_tokens_total counter\n"));
}

#[tokio::test]
async fn the_lines_of_one_attempt_are_joined_by_a_trace_id() {
    let stage = Stage::set("metrics-logs").await;
    let operator = stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--log-format", "json"]);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let refusal = Step::Json { status: 401, body: json!({"error": "invalid_client"}) };
    stage.orders(&endpoint, vec![refusal]).await;
    stage.until_refused("orders", "ClientAuthenticationFailed").await;
    stage.annotate("orders", "tokensource.dev/refresh-requested-at", "1").await;
    assert!(endpoint.wait_for("orders", 2, Duration::from_secs(60)).await);
    eventually("both refusals are logged", || async { operator.log().matches("token request refused").count() == 2 }).await;

    let lines: Vec<Value> = operator.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let saying = |message: &str| lines.iter().filter(|line| line["fields"]["message"] == message).cloned().collect::<Vec<_>>();
    let (asked, refused) = (saying("requesting a token"), saying("token request refused"));
    let ids = |lines: &[Value]| lines.iter().map(|line| line["trace_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&asked), ids(&refused), "a request and its refusal are of one look");
    assert_eq!(ids(&refused).iter().collect::<BTreeSet<_>>().len(), 2, "each look has an id of its own");
    for line in refused {
        assert_eq!((&line["namespace"], &line["name"]), (&json!(stage.namespace), &json!("orders")));
        let id = line["trace_id"].as_str().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}
