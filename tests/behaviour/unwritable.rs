//! A token that can't be stored is told, kept, and written later without asking for another.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};

use crate::stage::{Stage, eventually};

#[tokio::test]
async fn an_immutable_secret_is_told_and_its_token_written_when_it_is_gone() {
    let stage = Stage::set("immutable").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.orders(&endpoint, vec![Step::Token { expires_in: 3600 }]).await;
    stage.until_ready("orders").await;
    let first = stage.token("orders").await;

    stage.secrets().patch("orders", &PatchParams::default(), &Patch::Merge(json!({"immutable": true}))).await.unwrap();
    stage.annotate("orders", "tokensource.dev/refresh-requested-at", "1").await;
    let status = stage.until_refused("orders", "SecretConflict").await;
    let failure = status.0.last_failure.unwrap();
    assert!(failure.message.contains("the API server refused to write Secret orders: 422"), "{}", failure.message);
    assert!(failure.remedy.contains("not immutable"));
    assert_eq!((endpoint.count("orders"), stage.token("orders").await), (2, first.clone()));

    stage.secrets().delete("orders", &DeleteParams::default()).await.unwrap();
    eventually("the kept token is written", || async { stage.secrets().get_opt("orders").await.unwrap().is_some() }).await;
    stage.until_ready("orders").await;
    assert_ne!(stage.token("orders").await, first);
    assert_eq!(endpoint.count("orders"), 2);
}
