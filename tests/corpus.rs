//! Recorded answers of token endpoints and the reason that each gives.
//!
//! Our own recordings (`tests/corpus/`) must all be right: those of many servers, and those that the behaviour tests take from
//! Keycloak and the UAA. Beside the project may lie a larger collection; when it is
//! there its rows are judged as well, by a share, since some of them can't be told from one answer alone.

#![expect(clippy::expect_used, clippy::panic, reason = "a row that can't be read must fail the test")]

use std::path::{Path, PathBuf};

use http::Response;
use serde_json::Value;
use tokensource::oauth::grant::GrantType;
use tokensource::oauth::rejection::{ClientCause, Refusal, Rejection};
use tokensource::oauth::response::{Answer, Asked, ResponseBody, classify, refuse_transport};
use tokensource::oauth::transport::TransportFault;

/// Sent with every request: no row may show it, and one echoes it.
const CREDENTIALS: &[&str] = &["s3cr3t+Pass%20word", "hunter2-hunter2"];

/// Our own recordings.
const OWN: [&str; 4] = ["answers", "keycloak", "uaa", "collected"];

/// Of a hundred rows of the larger collection so many may be told wrong.
const MAY_MISS: usize = 5;

struct Row {
    id: String,
    reason: String,
    cause: Option<String>,
    told: (String, Option<String>),
    shown: Option<Refusal>,
}

impl Row {
    fn is_right(&self) -> bool {
        self.reason == self.told.0 && (self.cause.is_none() || self.cause == self.told.1)
    }
}

fn grant(name: &str) -> GrantType {
    match name {
        "password" => GrantType::Password,
        "jwt-bearer" => GrantType::JwtBearer,
        "saml2-bearer" => GrantType::Saml2Bearer,
        "token-exchange" => GrantType::TokenExchange,
        "refresh_token" => GrantType::RefreshToken,
        _ => GrantType::ClientCredentials, // `any`, `none`, `custom`
    }
}

fn answer(row: &Value, text: &str) -> Answer {
    let status = row["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    if status == 0 {
        return Answer::Refused(refuse_transport(TransportFault::recognise(text)));
    }
    let too_large = row["id"].as_str().is_some_and(|id| id.ends_with("body-too-large"));
    let body = if too_large { ResponseBody::TooLarge } else { ResponseBody::Whole(text.to_owned().into()) };
    let mut response = Response::builder().status(status);
    for (name, value) in row["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().expect("a header value"));
    }
    let asked = Asked { grant: grant(row["grant"].as_str().unwrap_or_default()), credentials: CREDENTIALS };
    classify(&asked, &response.body(body).expect("a response"))
}

fn read(path: &Path, reason: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.is_empty()).map(|line| judge(&serde_json::from_str(line).expect("a row of JSON"), reason)).collect()
}

fn judge(row: &Value, reason: &str) -> Row {
    let body = row["body"].as_str().unwrap_or_default();
    let (told, shown) = match answer(row, body) {
        Answer::Issued(_) => (("TokenAccepted".to_owned(), None), None),
        Answer::Refused(refusal) => {
            let cause = refusal.rejection.cause().map(|cause| cause.as_str().to_owned());
            ((refusal.rejection.as_str().to_owned(), cause), Some(refusal))
        }
    };
    let word = |key: &str| row[key].as_str().map(str::to_owned);
    Row {
        id: word("id").expect("an id"),
        reason: word(reason).expect("a reason"),
        // In the larger collection `cause` is prose.
        cause: word("cause").filter(|cause| !cause.contains(' ') && ClientCause::ALL.iter().any(|known| known.as_str() == cause)),
        told,
        shown,
    }
}

fn misses(rows: &[Row]) -> Vec<String> {
    let miss = |row: &Row| format!("{}: {} {:?}, told {} {:?}", row.id, row.reason, row.cause, row.told.0, row.told.1);
    rows.iter().filter(|row| !row.is_right()).map(miss).collect()
}

#[test]
fn every_recorded_answer_gives_its_reason() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let own: Vec<Row> = OWN.iter().flat_map(|name| read(&root.join(format!("tests/corpus/{name}.jsonl")), "reason")).collect();
    let wrong = misses(&own);
    assert!(wrong.is_empty(), "{} of {} are told wrong:\n{}", wrong.len(), own.len(), wrong.join("\n"));
    for rejection in Rejection::ALL {
        let recorded = |row: &&Row| row.reason == rejection.as_str() && row.told.1.as_deref() == rejection.cause().map(ClientCause::as_str);
        assert!(own.iter().any(|row| recorded(&row)), "no recording gives {rejection} {:?}", rejection.cause());
    }

    let larger = root.join("../shared/corpus/token-responses.jsonl");
    let rows = if larger.is_file() { read(&larger, "expect") } else { Vec::new() };
    for row in own.iter().chain(&rows) {
        let Some(shown) = &row.shown else { continue };
        let description = shown.description.as_deref().unwrap_or_default();
        assert!(description.chars().count() <= 200, "{} shows too much", row.id);
        assert!(CREDENTIALS.iter().all(|credential| !shown.to_string().contains(credential)), "{} shows a credential", row.id);
    }
    let wrong = misses(&rows);
    #[expect(clippy::print_stderr, reason = "rows that can't be told, for whoever looks: `cargo test -- --nocapture`")]
    for miss in &wrong {
        eprintln!("{miss}");
    }
    assert!(wrong.len() * 100 <= rows.len() * MAY_MISS, "{} of {} are told wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
