//! A Secret that someone else owns or made is never taken over.

use serde_json::json;
use testenv::{ScriptedEndpoint, Step};
use tokensource::api::condition::{ConditionStatus, ConditionType};

use crate::stage::Stage;

#[tokio::test]
async fn a_foreign_secret_stays_as_it_is_and_no_token_is_asked_for() {
    let stage = Stage::set("foreign").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.secret("orders", &[("password", "mine")]).await;
    let before = stage.secrets().get("orders").await.unwrap();
    stage.orders(&endpoint, vec![Step::Token { expires_in: 3600 }]).await;

    let status = stage.until_refused("orders", "SecretConflict").await;
    assert!(status.is(ConditionType::Stalled, ConditionStatus::True));
    assert_eq!(stage.secrets().get("orders").await.unwrap(), before);
    assert_eq!(endpoint.count("orders"), 0);

    stage.secrets().delete("orders", &kube::api::DeleteParams::default()).await.unwrap();
    let status = stage.until_ready("orders").await;
    assert!(!status.has(ConditionType::Stalled));
}

#[tokio::test]
async fn of_two_sources_with_one_target_the_first_keeps_it() {
    let stage = Stage::set("two").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    for name in ["first", "second"] {
        endpoint.script(name, vec![Step::Token { expires_in: 3600 }]);
    }
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    let spec = |name: &str| json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}, "secret": {"name": "shared"}});
    stage.source("first", spec("first")).await;
    stage.until_ready("first").await;
    let token = stage.token("shared").await;

    stage.source("second", spec("second")).await;
    let status = stage.until_refused("second", "SecretConflict").await;
    assert!(status.message(ConditionType::Ready).contains("belongs to TokenSource first"));
    assert_eq!((stage.token("shared").await, endpoint.count("second")), (token, 0));
}

#[tokio::test]
async fn two_sources_that_race_for_one_target_never_share_it() {
    let stage = Stage::set("race").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s")]).await;
    for pair in 0..5 {
        let names = [format!("a{pair}"), format!("b{pair}")];
        for name in &names {
            // Both answers take a while, so that both requests are under way before either Secret is there.
            endpoint.script(name, vec![Step::Slow(std::time::Duration::from_millis(300), Box::new(Step::Token { expires_in: 3600 }))]);
            let target = format!("shared{pair}");
            stage
                .source(
                    name,
                    json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}, "secret": {"name": target}}),
                )
                .await;
        }
        let settled = |status: &crate::stage::Status| {
            !status.is(ConditionType::Refreshed, ConditionStatus::Unknown) && status.has(ConditionType::Ready)
        };
        let first = stage.until(&names[0], "settled", settled).await;
        let second = stage.until(&names[1], "settled", settled).await;
        let reasons = [first.reason(ConditionType::Ready), second.reason(ConditionType::Ready)];
        assert!(reasons.contains(&"TokenIssued".into()) && reasons.contains(&"SecretConflict".into()), "{reasons:?}");
        let owners = stage.secrets().get(&format!("shared{pair}")).await.unwrap().metadata.owner_references.unwrap();
        assert_eq!(owners.len(), 1);
    }
}
