//! A target Secret that was deleted or changed comes back as it should be.

use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use testenv::{ScriptedEndpoint, Step};

use crate::stage::{Stage, eventually};

/// With a floor of one second, so that the second request need not wait.
fn operator(stage: &Stage) -> crate::stage::Operator {
    stage.operator_with(&["--allow-http", "--allow-cidr", "127.0.0.0/8", "--min-refresh-interval", "1s"])
}

async fn ready(stage: &Stage, endpoint: &ScriptedEndpoint) -> String {
    stage.orders(endpoint, vec![Step::Token { expires_in: 3600 }]).await;
    stage.until_ready("orders").await;
    stage.token("orders").await
}

#[tokio::test]
async fn a_deleted_secret_is_made_anew() {
    let stage = Stage::set("deleted").await;
    let _operator = operator(&stage);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let first = ready(&stage, &endpoint).await;

    stage.secrets().delete("orders", &DeleteParams::default()).await.unwrap();
    eventually("the Secret is back", || async { stage.secrets().get_opt("orders").await.unwrap().is_some() }).await;
    assert_ne!(stage.token("orders").await, first);
    stage.until_ready("orders").await;
    assert_eq!(endpoint.count("orders"), 2);
}

#[tokio::test]
async fn a_changed_token_a_removed_key_and_a_removed_annotation_are_mended() {
    let stage = Stage::set("changed").await;
    let _operator = operator(&stage);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    ready(&stage, &endpoint).await;

    let changes = [
        json!({"data": {"access_token": "Zm9yZ2Vk"}}),
        json!({"data": {"token_type": null}}),
        json!({"metadata": {"annotations": {"tokensource.dev/expires-at": "2099-01-01T00:00:00Z"}}}),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        stage
            .secrets()
            .patch("orders", &PatchParams { field_manager: Some("someone".into()), ..PatchParams::default() }, &Patch::Merge(change))
            .await
            .unwrap();
        let expected = index + 2;
        assert!(endpoint.wait_for("orders", expected, Duration::from_secs(60)).await, "change {index} was not noticed");
        let mended = || async {
            let secret = stage.secrets().get("orders").await.unwrap();
            let data = crate::stage::text(&secret);
            let annotations = secret.metadata.annotations.unwrap();
            data["access_token"] != "forged"
                && data.contains_key("token_type")
                && annotations["tokensource.dev/expires-at"] == data["expires_at"]
        };
        eventually("the Secret is as it should be", mended).await;
    }
}

#[tokio::test]
async fn a_key_that_someone_adds_is_left_alone() {
    let stage = Stage::set("added").await;
    let _operator = operator(&stage);
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let first = ready(&stage, &endpoint).await;

    let added = json!({"data": {"extra": "eA=="}, "metadata": {"labels": {"mine": "yes"}}});
    stage.secrets().patch("orders", &PatchParams::default(), &Patch::Merge(added)).await.unwrap();
    stage.annotate("orders", "tokensource.dev/refresh-requested-at", "now").await;
    eventually("a new token", || async { stage.token("orders").await != first }).await;
    assert_eq!(stage.data("orders").await["extra"], "x");
    assert_eq!(endpoint.count("orders"), 2);
}
