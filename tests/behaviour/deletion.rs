//! What becomes of the Secret when its source goes.

use std::time::Duration;

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokio::time::sleep;

use crate::stage::{Stage, eventually};

#[tokio::test]
async fn garbage_collection_takes_the_secret_with_the_source_unless_it_is_retained() {
    let stage = Stage::set("deletion").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = |name: &str, policy: &str| json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}, "secret": {"deletionPolicy": policy}});
    for (name, policy) in [("kept", "Retain"), ("gone", "Delete")] {
        endpoint.script(name, vec![Step::Token { expires_in: 3600 }]);
        stage.source(name, spec(name, policy)).await;
        stage.until_ready(name).await;
    }
    for name in ["kept", "gone"] {
        stage.delete_source(name).await;
    }
    eventually("the Secret is collected", || async { stage.secrets().get_opt("gone").await.unwrap().is_none() }).await;
    sleep(Duration::from_secs(2)).await;
    assert!(stage.secrets().get_opt("kept").await.unwrap().is_some());

    // A source of the same name may have its retained Secret back, and finds the token in it still good.
    stage.source("kept", spec("kept", "Retain")).await;
    stage.until_ready("kept").await;
    assert_eq!(endpoint.count("kept"), 1);
    // A source of another name may not.
    endpoint.script("other", vec![Step::Token { expires_in: 3600 }]);
    let mut other = spec("other", "Retain");
    other["secret"]["name"] = "kept".into();
    stage.source("other", other).await;
    stage.until_refused("other", "SecretConflict").await;
}

#[tokio::test]
async fn a_source_that_is_deleted_and_made_anew_gets_its_token() {
    let stage = Stage::set("anew").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    endpoint.script("orders", vec![Step::Token { expires_in: 3600 }]);
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = json!({"tokenURL": endpoint.url("orders"), "credentials": {"secretRef": {"name": "client"}}});
    for _ in 0..2 {
        stage.source("orders", spec.clone()).await;
        stage.until_ready("orders").await;
        stage.delete_source("orders").await;
        eventually("the Secret is collected", || async { stage.secrets().get_opt("orders").await.unwrap().is_none() }).await;
    }
    assert_eq!(endpoint.count("orders"), 2);
}
