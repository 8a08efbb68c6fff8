//! Scripts for people who try a client by hand.

use std::time::Duration;

use serde_json::json;

use super::step::Step;

/// A script with a name.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) steps: Vec<Step>,
}

const TOKEN: Step = Step::Token { expires_in: 60 };

/// All of them.
pub(super) fn all() -> Vec<Preset> {
    let preset = |name, meaning, steps| Preset { name, meaning, steps };
    vec![
        preset("token", "a token for 60 s", vec![TOKEN]),
        preset("short", "a token for 5 s", vec![Step::Token { expires_in: 5 }]),
        preset("flaky", "503 twice, then tokens", vec![Step::Status(503), Step::Status(503), TOKEN]),
        preset("slow", "a token after 5 s", vec![Step::Slow(Duration::from_secs(5), Box::new(TOKEN))]),
        preset("slow-body", "a token that trickles in for 30 s", vec![Step::SlowBody(Duration::from_secs(30))]),
        preset("rate-limited", "429 with Retry-After: 10", vec![Step::RateLimited { retry_after: Some("10".to_owned()) }]),
        preset("rejected", "401 invalid_client", vec![Step::Json { status: 401, body: json!({"error": "invalid_client"}) }]),
        preset("unavailable", "503 without a body", vec![Step::Status(503)]),
        preset("login-page", "200 with an HTML page", vec![Step::Html(200)]),
        preset("garbage", "200 with what is no JSON", vec![Step::Garbage]),
        preset("huge", "200 with 100 MB", vec![Step::Huge(100_000_000)]),
        preset("reset", "a broken connection", vec![Step::Reset]),
        preset("redirect", "307 to /token", vec![Step::Redirect("/token".to_owned())]),
        preset(
            "client",
            "a token for client `id` with secret `secret`, else 401",
            vec![Step::RequireClient { id: "id".to_owned(), secret: "secret".to_owned(), then: Box::new(TOKEN) }],
        ),
    ]
}
