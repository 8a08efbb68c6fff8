//! All of it on a real node: the image, the chart, and a workload that mounts its token and calls a resource server once a
//! second. `make e2e` runs it, as root; `cargo test` alone does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "it takes minutes: each step is told")]
#![allow(missing_docs, reason = "tests are named by sentences")]

mod authorization_server;
mod cluster;
mod release;
mod resource_server;

use serde_json::{Value, json};
use testenv::World;
use testenv::accounts::CC;

use authorization_server::AuthorizationServer;
use cluster::Cluster;
use release::Release;
use resource_server::ResourceServer;

/// Tokens live for 60 s here; 20 s of that pass before the next. The rest is for the kubelet, and for an operator that is away.
const RENEW_BEFORE: &str = "40s";

/// What the workload knows: a file, and whom to call.
const CALLS: &str = r#"
while :; do
  /bin/busybox wget -q -O /dev/null --header "Authorization: $(/bin/busybox cat /token/authorization)" "$RESOURCE_SERVER"
  /bin/busybox sleep 1
done
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_never_refused_over_renewals_a_rotation_and_the_life_of_a_release() {
    let world = World::from_env().unwrap();
    let cluster = Cluster::of(&world, "shop");
    let release = Release::of(&world, &cluster);
    let authorization_server = AuthorizationServer::of(&world);
    let resource_server = ResourceServer::start(&authorization_server).await;

    say("install the chart, and wait until the operator is ready");
    release.install();
    cluster.apply(&trusted_ca(&world));
    cluster.apply(&credentials(CC.secret));
    for (name, policy) in [("orders", "Delete"), ("kept", "Retain"), ("gone", "Delete")] {
        cluster.apply(&source(name, policy, &authorization_server));
        cluster.until_ready(&format!("tks/{name}"));
    }
    release.test();
    let first = cluster.token("orders");
    let forged = first.rsplit_once('.').unwrap().0.to_owned() + "." + &"A".repeat(342);
    assert_eq!(resource_server.verdict(&first), Ok(()));
    assert_eq!(resource_server.verdict(&forged), Err("a wrong signature"));

    say("start the workload, and wait for three renewals");
    cluster.apply(&workload(&resource_server, world.tools_image()));
    resource_server.until_tokens(4).await;

    say("rotate the client's secret, and wait for two tokens that only the new one can bring");
    cluster.apply(&credentials(&authorization_server.rotate_secret(CC.id).await));
    resource_server.until_more_tokens(2).await;

    say("upgrade to another image, and roll back");
    release.upgrade();
    resource_server.until_more_tokens(1).await;
    release.roll_back();
    resource_server.until_more_tokens(1).await;

    say("uninstall: the CRD, the sources and their Secrets stay; a Secret follows its source by its deletionPolicy");
    release.uninstall();
    assert_eq!(cluster.names("tks"), ["gone", "kept", "orders"]);
    cluster.delete("tks/kept");
    cluster.delete("tks/gone");
    cluster.until_gone("secret", "gone");
    assert!(cluster.names("secret").contains(&"kept".to_owned()), "Retain");

    say("install again: a source that is made anew has its retained Secret back, and the workload's token is renewed");
    release.install();
    cluster.apply(&source("kept", "Retain", &authorization_server));
    cluster.until_ready("tks/kept");
    resource_server.until_more_tokens(1).await;

    assert_eq!(resource_server.verdict(&first), Err("expired"));
    cluster.delete("pod/workload");
    for name in cluster.names("tks") {
        cluster.delete(&format!("tks/{name}"));
    }
    release.uninstall();
    let summary = resource_server.summary();
    say(&summary);
}

/// One step, for who watches.
fn say(step: &str) {
    eprintln!("e2e: {step}");
}

fn trusted_ca(world: &World) -> Value {
    let ca = std::fs::read_to_string(world.keycloak_ca().unwrap()).unwrap();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "company-ca"}, "data": {"ca.crt": ca}})
}

fn credentials(secret: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "client"}, "stringData": {"client_id": CC.id, "client_secret": secret}})
}

fn source(name: &str, deletion_policy: &str, authorization_server: &AuthorizationServer) -> Value {
    let metadata = json!({"name": name, "labels": {"tokensource.dev/helm-test": "e2e"}});
    json!({"apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource", "metadata": metadata, "spec": {
        "tokenURL": authorization_server.token_url(),
        "credentials": {"secretRef": {"name": "client"}},
        "tls": {"caBundle": {"configMapRef": {"name": "company-ca", "key": "ca.crt"}}},
        "refresh": {"renewBefore": RENEW_BEFORE},
        "secret": {"deletionPolicy": deletion_policy},
    }})
}

fn workload(resource_server: &ResourceServer, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "workload"}, "spec": {
        "hostNetwork": true,
        "dnsPolicy": "Default",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532},
        "containers": [{
            "name": "workload",
            "image": image,
            "imagePullPolicy": "Never",
            "command": ["/bin/busybox", "sh", "-c", CALLS],
            "env": [{"name": "RESOURCE_SERVER", "value": resource_server.url()}],
            "volumeMounts": [{"name": "token", "mountPath": "/token", "readOnly": true}],
        }],
        "volumes": [{"name": "token", "secret": {"secretName": "orders"}}],
    }})
}
