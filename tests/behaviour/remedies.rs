//! What to do is told in the vendor's own words, with a hint where the request shows one.

use serde_json::json;
use testenv::accounts::{CC, NO_SERVICE_ACCOUNT};

use crate::stage::Stage;

#[tokio::test]
async fn the_remedy_is_keycloaks_and_a_line_end_behind_the_secret_is_hinted_at() {
    let stage = Stage::set("remedy").await;
    let _operator = stage.operator();
    let url = stage.world.keycloak_token_url().unwrap();
    let credentials =
        [("padded", CC.id, format!("{}\n", CC.secret)), ("no-grant", NO_SERVICE_ACCOUNT.id, NO_SERVICE_ACCOUNT.secret.to_owned())];
    for (name, id, secret) in &credentials {
        let client = format!("{name}-client");
        stage.secret(&client, &[("client_id", id), ("client_secret", secret)]).await;
        stage.source(name, json!({"tokenURL": url, "credentials": {"secretRef": {"name": client}}})).await;
    }

    let padded = stage.until_refused("padded", "ClientAuthenticationFailed").await.0.last_failure.unwrap();
    assert!(padded.remedy.contains("Keycloak's word for a wrong secret. Hint: the client secret begins or ends"), "{}", padded.remedy);
    assert!(!padded.remedy.contains(CC.secret) && !padded.message.contains("Hint:"));
    let no_grant = stage.until_refused("no-grant", "GrantTypeNotAllowed").await.0.last_failure.unwrap();
    assert!(no_grant.remedy.contains("Service accounts roles") && !no_grant.remedy.contains("Hint:"), "{}", no_grant.remedy);
}
