//! Metrics, alerts, dashboard and their page agree on the names. Needs no cluster.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use http::{Request, Response};
use kube::runtime::reflector::store::Writer;
use kube::runtime::{reflector, watcher::Event};
use serde::Deserialize;
use serde_json::{Value, json};
use tokensource::api::TokenSource;
use tokensource::observability::metrics::Metrics;
use tokensource::observability::metrics::exposition::Format;
use tokensource::token_source::punctuality::Punctuality;
use tower::{Layer as _, Service as _};

/// Where each name must be that the dashboard or an alert asks for, and each that is told must be explained.
const PAGE: &str = include_str!("../docs/metrics.md");
const ALERTS: &str = include_str!("../charts/tokensource/files/alerts.yaml");
const DASHBOARD: &str = include_str!("../charts/tokensource/files/dashboard.json");

fn source(name: &str) -> TokenSource {
    let condition = |word: &str, status: &str| json!({"type": word, "status": status, "reason": "TokenIssued", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let source = json!({
        "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"tokenURL": "https://auth.example.com/token", "clientID": "c"},
        "status": {
            "expirationTime": "2026-01-01T01:00:00Z", "renewalTime": "2026-01-01T00:40:00Z",
            "conditions": [condition("Ready", "True"), condition("Refreshed", "True")],
        },
    });
    serde_json::from_value(source).unwrap()
}

/// Metrics after something of everything has happened, and what changes the sources.
fn exercised() -> (Metrics, Writer<TokenSource>) {
    let metrics = Metrics::default();
    metrics.requested("auth.example.com", "password", "UserAuthenticationFailed", Duration::from_millis(30));
    metrics.saved();
    metrics.reconciled(Duration::from_millis(3));
    metrics.judged(Punctuality { lateness: Some(Duration::from_secs(2)), expired: true });
    let answer = |_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) };
    let mut client = metrics.kubernetes_requests().layer(tower::service_fn(answer));
    let request = Request::get("/api/v1/namespaces/shop/secrets/orders").body(()).unwrap();
    client.call(request).now_or_never().unwrap().unwrap();
    let (store, mut writer) = reflector::store();
    for name in ["orders", "invoices"] {
        writer.apply_watcher_event(&Event::Apply(source(name)));
    }
    // The same twice, as where two scopes overlap: still one series.
    metrics.watch(vec![store.clone(), store]);
    (metrics, writer)
}

/// The families of a text by name, with their types. Fails where a scraper would.
fn families(text: &str, suffix_of_counters: &str) -> BTreeMap<String, String> {
    let (mut families, mut series) = (BTreeMap::<String, String>::new(), BTreeSet::new());
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, family_type) = described.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned(), family_type.to_owned()).is_none(), "{name} is described twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = (line.split(['{', ' ']).next().unwrap(), line.rsplit_once(' ').unwrap().1);
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(series.insert(line.rsplit_once(' ').unwrap().0), "{line} is told twice");
            let family =
                ["", "_bucket", "_sum", "_count", suffix_of_counters].iter().find_map(|part| families.get(name.strip_suffix(part)?));
            let family = family.unwrap_or_else(|| panic!("{name} has no type"));
            assert_eq!(family == "counter", name.ends_with("_total"), "{name}");
        }
    }
    families
}

/// The names of all series, as queries use them, without the parts of a histogram.
fn registered() -> BTreeSet<String> {
    let text = exercised().0.write(Format::Prometheus).concat();
    families(&text, "").into_keys().collect()
}

/// The metrics that a text names: ours, and the process's own.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter(|word| word.starts_with("tokensource_") || word.starts_with("process_"));
    let part = |name: &str| ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name).to_owned();
    names.map(part).collect()
}

#[test]
fn the_names_and_labels_are_those_of_the_contract() {
    let text = exercised().0.write(Format::OpenMetrics).concat();
    for line in [
        r#"tokensource_token_requests_total{host="auth.example.com",grant="password",result="UserAuthenticationFailed"} 1"#,
        r#"tokensource_token_request_duration_seconds_count{host="auth.example.com"} 1"#,
        r#"tokensource_token_expiry_timestamp_seconds{namespace="shop",name="orders"} 1767229200"#,
        r#"tokensource_token_renewal_timestamp_seconds{namespace="shop",name="orders"} 1767228000"#,
        r#"tokensource_ready{namespace="shop",name="orders"} 1"#,
        r#"tokensource_stalled{namespace="shop",name="orders"} 0"#,
        r#"tokensource_suspended{namespace="shop",name="orders"} 0"#,
        "tokensource_refresh_lateness_seconds_sum 2.0",
        "tokensource_expired_tokens_total 1",
        "tokensource_rejected_attempts_saved_total 1",
        "tokensource_reconcile_duration_seconds_count 1",
        r#"tokensource_kubernetes_requests_total{verb="get",resource="secrets",code="200"} 1"#,
        // Both are past the renewal that their status tells.
        "tokensource_backlog 2",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
}

#[test]
fn the_series_of_a_deleted_source_go_with_it() {
    let (metrics, mut writer) = exercised();
    writer.apply_watcher_event(&Event::Delete(source("orders")));
    let text = metrics.write(Format::OpenMetrics).concat();
    assert!(!text.contains("orders") && text.contains(r#"tokensource_ready{namespace="shop",name="invoices"} 1"#), "{text}");
    writer.apply_watcher_event(&Event::Delete(source("invoices")));
    assert!(!metrics.write(Format::OpenMetrics).concat().contains("tokensource_ready"), "a family without series is not described");
}

#[test]
fn scrapers_of_both_formats_can_read_the_text() {
    let metrics = exercised().0;
    let text = metrics.write(Format::OpenMetrics).concat();
    assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1);
    families(&text, "_total");
    let older = metrics.write(Format::Prometheus).concat();
    assert!(!older.contains("# EOF"));
    let samples = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&older), samples(&text));
    let told = families(&older, "");
    assert_eq!(told["tokensource_token_requests_total"], "counter");
    assert_eq!(told["process_cpu_seconds_total"], "counter");
    if let Some(path) = std::env::var_os("WRITE_METRICS") {
        fs::write(Path::new(&path).join("metrics.om"), &text).unwrap();
        fs::write(Path::new(&path).join("metrics.txt"), &older).unwrap();
    }
}

#[test]
fn the_page_tells_every_metric_and_no_other() {
    assert_eq!(named(PAGE), registered());
}

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    _waits: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn rules() -> Vec<Rule> {
    let rules: Rules = serde_saphyr::from_str(ALERTS).unwrap();
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

#[test]
fn alerts_ask_for_registered_metrics_and_say_what_to_do() {
    let registered = registered();
    for rule in rules() {
        let unknown: Vec<_> = named(&rule.expr).difference(&registered).cloned().collect();
        assert!(!named(&rule.expr).is_empty() && unknown.is_empty(), "{} asks for {unknown:?}", rule.alert);
        assert!(["warning", "critical"].contains(&rule.labels["severity"].as_str()));
        let keys: Vec<&str> = rule.annotations.keys().map(String::as_str).collect();
        assert_eq!(keys, ["description", "runbook_url", "summary"], "{}", rule.alert);
        assert!(PAGE.contains(&format!("`{}`", rule.alert)), "docs/metrics.md does not tell of {}", rule.alert);
    }
}

/// A heading's anchor, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

#[test]
fn every_runbook_is_a_heading_of_a_page() {
    for rule in rules() {
        let url = &rule.annotations["runbook_url"];
        let place = url.strip_prefix("https://github.com/tokensource/tokensource/blob/main/").unwrap();
        let (page, wanted) = place.split_once('#').unwrap_or((place, ""));
        assert!(["docs/operations.md", "docs/failures.md"].contains(&page), "{url}");
        // A page that is not written yet can't be compared; once it is there it must have the heading.
        let Ok(text) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)) else { continue };
        let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#')));
        assert!(wanted.is_empty() || headings.into_iter().any(|heading| heading == wanted), "{page} has no heading for #{wanted}");
    }
}

/// All values of this key, however deep.
fn values<'a>(json: &'a Value, key: &str) -> Vec<&'a Value> {
    match json {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| if name == key { vec![value] } else { values(value, key) }).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| values(item, key)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn the_dashboard_asks_for_registered_metrics_of_one_data_source() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let registered = registered();
    let expressions = values(&dashboard, "expr");
    assert!(expressions.len() > 20);
    for expression in expressions {
        let named = named(expression.as_str().unwrap());
        let unknown: Vec<_> = named.difference(&registered).collect();
        assert!(!named.is_empty() && unknown.is_empty(), "{expression} asks for {unknown:?}");
    }
    let variables: Vec<&Value> = dashboard["templating"]["list"].as_array().unwrap().iter().map(|variable| &variable["name"]).collect();
    assert_eq!(variables, ["datasource", "namespace"]);
    assert!(values(&dashboard, "datasource").iter().all(|source| source["uid"] == "${datasource}"));
    let ids = values(&dashboard, "id");
    let panels: BTreeSet<u64> = ids.iter().filter_map(|id| id.as_u64()).collect();
    assert_eq!(panels.len(), dashboard["panels"].as_array().unwrap().len(), "each panel has an id of its own");
}
