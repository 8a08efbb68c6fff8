//! Of several replicas one leads. Whatever happens to it, another takes over, and no two of them act at the same time.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::clock;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::stage::{Operator, PATIENCE, Stage, eventually};

const FLAGS: [&str; 6] = ["--leader-elect", "--allow-http", "--allow-cidr", "127.0.0.0/8", "--min-refresh-interval", "1s"];
/// Of the tests that wait for its end.
const SHORT_LEASE: Duration = Duration::from_secs(6);

fn candidate(stage: &Stage) -> Operator {
    stage.operator_with(&FLAGS)
}

fn short_candidate(stage: &Stage) -> Operator {
    stage.operator_with(&[&FLAGS[..], &["--lease-duration", "6s"]].concat())
}

fn leases(stage: &Stage) -> Api<Lease> {
    Api::namespaced(stage.client.clone(), &stage.namespace)
}

async fn lease(stage: &Stage) -> LeaseSpec {
    leases(stage).get("tokensource").await.unwrap().spec.unwrap()
}

async fn holder(stage: &Stage) -> String {
    lease(stage).await.holder_identity.unwrap_or_default()
}

async fn until_leading(operator: &Operator) {
    eventually("it leads", || async { operator.metrics().await.contains("\ntokensource_leader 1\n") }).await;
}

async fn until_standing_by(operator: &Operator) {
    eventually("it stands by", || async { operator.log().contains("standing by") }).await;
    assert!(operator.metrics().await.contains("\ntokensource_leader 0\n"));
    for probe in ["readyz", "livez"] {
        assert_eq!(operator.served(probe).await.status(), 200, "{probe} of who stands by");
    }
}

/// Writes a source whose endpoint answers so.
async fn source(stage: &Stage, endpoint: &ScriptedEndpoint, name: &str, answers: Vec<Step>) {
    endpoint.script(name, answers);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}})).await;
}

fn long() -> Step {
    Step::Token { expires_in: 3600 }
}

/// What has been written to the namespace but for the Lease.
fn writes(stage: &Stage) -> Vec<String> {
    let is_write = |request: &String| !request.starts_with("get ") && !request.starts_with("list ") && !request.contains(" leases ");
    stage.api_requests().into_iter().filter(is_write).collect()
}

async fn version(stage: &Stage, secret: &str) -> Option<String> {
    stage.secrets().get(secret).await.unwrap().metadata.resource_version
}

#[tokio::test]
async fn who_is_asked_to_stop_ends_its_requests_and_another_leads_within_two_seconds() {
    let stage = Stage::set("leader").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let mut first = candidate(&stage);
    until_leading(&first).await;
    let second = candidate(&stage);
    until_standing_by(&second).await;
    let held = lease(&stage).await;
    assert_eq!((held.lease_duration_seconds, held.lease_transitions), (Some(15), Some(0)));
    assert!(held.acquire_time.is_some() && held.renew_time.is_some());

    source(&stage, &endpoint, "fresh", vec![long()]).await;
    stage.until_ready("fresh").await;
    source(&stage, &endpoint, "slow", vec![Step::Slow(Duration::from_secs(2), Box::new(long()))]).await;
    assert!(endpoint.wait_for("slow", 1, PATIENCE).await);
    first.signal("TERM");
    assert!(first.ended().await.success(), "{}", first.log());
    let given_back = Instant::now();
    assert!(first.log().contains("the Lease is given back"));
    until_leading(&second).await;
    assert!(given_back.elapsed() < Duration::from_secs(2), "after {:?}", given_back.elapsed());
    stage.until_ready("slow").await;

    // Tells when the second has looked at all.
    source(&stage, &endpoint, "third", vec![long()]).await;
    stage.until_ready("third").await;
    assert_eq!(["fresh", "slow", "third"].map(|name| endpoint.count(name)), [1, 1, 1]);
    let held_now = lease(&stage).await;
    assert_eq!((held_now.lease_duration_seconds, held_now.lease_transitions), (Some(15), Some(1)));
    assert_ne!(held_now.holder_identity, held.holder_identity);
}

#[tokio::test]
async fn a_killed_leaders_lease_runs_out() {
    let stage = Stage::set("leader-kill").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let first = short_candidate(&stage);
    until_leading(&first).await;
    let second = short_candidate(&stage);
    until_standing_by(&second).await;
    source(&stage, &endpoint, "fresh", vec![long()]).await;
    source(&stage, &endpoint, "short", vec![Step::Token { expires_in: 12 }, long()]).await;
    for name in ["fresh", "short"] {
        stage.until_ready(name).await;
    }
    let token = stage.token("short").await;
    first.kill();
    let killed = Instant::now();
    until_leading(&second).await;
    assert!(killed.elapsed() >= SHORT_LEASE * 2 / 3, "after {:?}: the last renewal was not so long ago", killed.elapsed());
    eventually("the token is renewed", || async { stage.token("short").await != token }).await;
    assert_eq!(["fresh", "short"].map(|name| endpoint.count(name)), [1, 2]);
}

#[tokio::test]
async fn a_leader_that_was_frozen_sends_and_writes_nothing_when_it_wakes_up() {
    let stage = Stage::set("leader-frozen").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let mut first = short_candidate(&stage);
    until_leading(&first).await;
    let second = short_candidate(&stage);
    until_standing_by(&second).await;
    // One renewal falls due while the first is frozen; one answer comes that it has no time to read.
    source(&stage, &endpoint, "due", vec![Step::Token { expires_in: 12 }, long()]).await;
    stage.until_ready("due").await;
    source(&stage, &endpoint, "under-way", vec![Step::Slow(Duration::from_secs(2), Box::new(long())), long()]).await;
    assert!(endpoint.wait_for("under-way", 1, PATIENCE).await);
    first.signal("STOP");
    until_leading(&second).await;
    stage.until_ready("under-way").await;
    assert!(endpoint.wait_for("due", 2, PATIENCE).await);
    stage.until_events("under-way", &["TokenIssued"]).await;
    sleep(Duration::from_secs(3)).await;

    let counts = ["due", "under-way"].map(|name| endpoint.count(name));
    assert_eq!(counts, [2, 2]);
    let before =
        (writes(&stage), version(&stage, "due").await, version(&stage, "under-way").await, version(&stage, "tokensource-ledger").await);
    let holder_before = holder(&stage).await;
    first.signal("CONT");
    assert!(!first.ended().await.success());
    assert!(first.log().contains("the Lease is lost"), "{}", first.log());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(["due", "under-way"].map(|name| endpoint.count(name)), counts);
    let after =
        (writes(&stage), version(&stage, "due").await, version(&stage, "under-way").await, version(&stage, "tokensource-ledger").await);
    assert_eq!(before, after);
    assert_eq!(holder(&stage).await, holder_before);
    until_leading(&second).await;
}

#[tokio::test]
async fn a_lease_that_somebody_deletes_comes_back_and_one_that_somebody_takes_is_given_up() {
    let stage = Stage::set("leader-edited").await;
    let mut first = short_candidate(&stage);
    until_leading(&first).await;
    let second = short_candidate(&stage);
    until_standing_by(&second).await;
    let leader = holder(&stage).await;

    leases(&stage).delete("tokensource", &DeleteParams::default()).await.unwrap();
    eventually("it is there again", || async { leases(&stage).get_opt("tokensource").await.unwrap().is_some() }).await;
    assert_eq!(holder(&stage).await, leader);
    let mended = json!({"metadata": {"labels": {"team": "x"}}, "spec": {"leaseDurationSeconds": 1, "leaseTransitions": 41}});
    leases(&stage).patch("tokensource", &PatchParams::default(), &Patch::Merge(mended)).await.unwrap();
    eventually("its duration is mended", || async { lease(&stage).await.lease_duration_seconds == Some(6) }).await;
    assert_eq!(holder(&stage).await, leader);

    let taken = Instant::now();
    let by_somebody = json!({"spec": {"holderIdentity": "somebody"}});
    leases(&stage).patch("tokensource", &PatchParams::default(), &Patch::Merge(by_somebody)).await.unwrap();
    assert!(!first.ended().await.success());
    assert!(first.log().contains("\"somebody\""), "{}", first.log());
    assert_eq!(holder(&stage).await, "somebody", "nobody takes it while somebody may act");
    until_leading(&second).await;
    assert!(taken.elapsed() >= SHORT_LEASE, "after {:?}", taken.elapsed());
    assert_eq!(lease(&stage).await.lease_transitions, Some(42));
    assert!(leases(&stage).get("tokensource").await.unwrap().metadata.labels.is_some(), "what somebody added stays");
}

#[tokio::test]
async fn clocks_are_not_compared() {
    let stage = Stage::set("leader-clock").await;
    // Somebody leads whose clock jumps by a day at each renewal.
    let jump = |renewal: i64| SignedDuration::from_hours(if renewal % 2 == 0 { -24 } else { 24 });
    let renewed = |renewal| MicroTime(clock::precise() + jump(renewal));
    let spec = LeaseSpec {
        holder_identity: Some("somebody".into()),
        lease_duration_seconds: Some(6),
        renew_time: Some(renewed(0)),
        ..LeaseSpec::default()
    };
    let metadata = ObjectMeta { name: Some("tokensource".into()), ..ObjectMeta::default() };
    leases(&stage).create(&PostParams::default(), &Lease { metadata, spec: Some(spec) }).await.unwrap();
    let operator = short_candidate(&stage);
    until_standing_by(&operator).await;
    for renewal in 1..=5 {
        sleep(SHORT_LEASE / 3).await;
        let patch = json!({"spec": {"renewTime": renewed(renewal)}});
        leases(&stage).patch("tokensource", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }
    let last = Instant::now();
    assert_eq!(holder(&stage).await, "somebody");
    until_leading(&operator).await;
    assert!(last.elapsed() >= SHORT_LEASE && last.elapsed() < 2 * SHORT_LEASE, "after {:?}", last.elapsed());
}

/// A way to the API server that can be cut: connections stay open, and nothing comes through.
async fn cuttable_way(stage: &Stage) -> (String, watch::Sender<bool>) {
    let kubeconfig = Kubeconfig::read_from(stage.world.kubeconfig().unwrap()).unwrap();
    let server = kubeconfig.clusters[0].cluster.as_ref().unwrap().server.clone().unwrap();
    let upstream: Arc<str> = server.trim_start_matches("https://").into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let way = format!("https://{}", listener.local_addr().unwrap());
    let (cut, is_cut) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (mut is_cut, upstream) = (is_cut.clone(), Arc::clone(&upstream));
            tokio::spawn(async move {
                let mut far = TcpStream::connect(&*upstream).await.unwrap();
                let cut_off = async {
                    _ = is_cut.wait_for(|cut| *cut).await;
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => return,
                    () = cut_off => {}
                }
                pending::<()>().await;
            });
        }
    });
    (way, cut)
}

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_before_another_leads() {
    let stage = Stage::set("leader-cut").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let (way, cut) = cuttable_way(&stage).await;
    let cut_off = stage.by_way_of(&way);
    let mut first = short_candidate(&cut_off);
    until_leading(&first).await;
    let second = short_candidate(&stage);
    until_standing_by(&second).await;
    source(&stage, &endpoint, "short", vec![Step::Token { expires_in: 12 }, long()]).await;
    stage.until_ready("short").await;

    let leader = holder(&stage).await;
    cut.send_replace(true);
    assert!(!first.ended().await.success());
    assert!(first.log().contains("could not be renewed in time"), "{}", first.log());
    assert_eq!(holder(&stage).await, leader, "nobody has taken it before the end of the one that is cut off");
    until_leading(&second).await;
    let token = stage.token("short").await;
    eventually("the token is renewed", || async { stage.token("short").await != token || endpoint.count("short") > 1 }).await;
}
