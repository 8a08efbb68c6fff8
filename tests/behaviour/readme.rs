//! The README's smallest example works as it stands, with a real endpoint put in.

use std::io::Write as _;
use std::process::Stdio;

use testenv::{ScriptedEndpoint, Step};

use crate::stage::Stage;

const README: &str = include_str!("../../README.md");
const ENDPOINT_IN_README: &str = "https://login.example.com/oauth2/token";

/// The fenced block that holds a `TokenSource`.
fn example() -> String {
    let block = README.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    block.filter(|block| block.contains("kind: TokenSource")).collect::<Vec<_>>()[0].to_owned()
}

#[tokio::test]
async fn the_smallest_example_issues_a_token() {
    let stage = Stage::set("readme").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let right =
        Step::RequireClient { id: "billing".into(), secret: "put yours here".into(), then: Box::new(Step::Token { expires_in: 3600 }) };
    endpoint.script("token", vec![right]);
    let manifest = example();
    assert!(manifest.contains(ENDPOINT_IN_README));
    let manifest =
        manifest.replace(ENDPOINT_IN_README, &endpoint.url("token")).replace("namespace: shop", &format!("namespace: {}", stage.namespace));

    let mut kubectl =
        stage.world.kubectl().unwrap().args(["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    kubectl.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    assert!(kubectl.wait().unwrap().success());

    stage.until_ready("billing-api").await;
    assert_eq!(stage.data("billing-api").await["token_type"], "Bearer");
    assert_eq!(endpoint.requests("token")[0].field("scope"), Some("invoices.read"));
}
