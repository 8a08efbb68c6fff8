//! Refused clients: unknown, switched off, with the wrong secret or without one.

use testenv::accounts::{ALICE, CC, Client, OFF, PRIVATE_KEY_JWT, ROPC, SPECIAL};

use crate::refusal::{Case, are_told, case};
use crate::stage::Stage;

const fn wrong_secret(of: Client) -> Client {
    Client { secret: "wr0ng-s3cret", ..of }
}

const NOBODY: Client = Client { id: "nobody", secret: "wr0ng-s3cret-of-nobody" };

pub fn at_keycloak(stage: &Stage) -> Vec<Case> {
    let url = stage.world.keycloak_token_url().unwrap();
    let client = |name| case(name, &url, "client_credentials");
    vec![
        client("wrong-secret").client(&wrong_secret(CC)).gives_cause("WrongSecret"),
        client("no-secret").with("client_id", CC.id).gives_cause("WrongSecret").and_the_request("MissingCredentials"),
        client("unknown-client").client(&NOBODY).gives_cause("UnknownClient"),
        // The bytes are those of an unknown client.
        client("disabled-client").client(&OFF).gives("ClientAuthenticationFailed"),
        client("raw-basic").raw_basic(&SPECIAL).gives("ClientAuthenticationFailed"),
        client("secret-instead-of-assertion").client(&wrong_secret(PRIVATE_KEY_JWT)).gives("ClientAuthenticationFailed"),
        case("wrong-secret-beside-a-user", &url, "password")
            .client(&wrong_secret(ROPC))
            .user(ALICE.name, ALICE.password)
            .gives_cause("WrongSecret"),
    ]
}

pub fn at_uaa(stage: &Stage) -> Vec<Case> {
    let url = stage.world.uaa_token_url().unwrap();
    let client = |name| case(name, &url, "client_credentials");
    vec![
        client("wrong-secret").client(&wrong_secret(CC)).gives_cause("WrongSecret"),
        client("no-secret").with("client_id", CC.id).gives_cause("WrongSecret").and_the_request("MissingCredentials"),
        // The bytes are those of a wrong secret.
        client("unknown-client").client(&NOBODY).gives("ClientAuthenticationFailed"),
        // The bytes are those of a wrong password: only the probe tells.
        case("wrong-secret-beside-a-user", &url, "password")
            .client(&wrong_secret(ROPC))
            .user(ALICE.name, ALICE.password)
            .gives("CredentialsRejected")
            .and_the_probe("ClientAuthenticationFailed")
            .and_the_request("WrongSecret"),
    ]
}

#[tokio::test]
async fn each_client_that_keycloak_refuses_has_its_reason() {
    let stage = Stage::set("keycloak-clients").await;
    are_told(&stage, &at_keycloak(&stage)).await;
}

#[tokio::test]
async fn each_client_that_the_uaa_refuses_has_its_reason() {
    let stage = Stage::set("uaa-clients").await;
    are_told(&stage, &at_uaa(&stage)).await;
}
