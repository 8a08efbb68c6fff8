//! Turns steps into HTTP answers.

use std::io;
use std::time::Duration;

use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::record::RecordedRequest;
use super::reset;
use super::step::Step;

type AnswerBody = BoxBody<Bytes, io::Error>;

/// An answer, or the error that breaks the connection.
pub(super) type Answer = Result<Response<AnswerBody>, io::Error>;

const PIECE: usize = 64 * 1024;
/// `SlowBody` sends so many pieces.
const DRIPS: usize = 50;
const GARBAGE: &[u8] = b"\x1f\x8b\xff\xfe{\"access_token\": oops";
const PAGE: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>\n";

/// Answers `request` by `step`; waits as long as the step says.
pub(super) async fn answer(mut step: Step, request: &RecordedRequest) -> Answer {
    loop {
        step = match step {
            Step::Slow(wait, then) => {
                tokio::time::sleep(wait).await;
                *then
            }
            Step::RequireClient { id, secret, then } if request.is_from_client(&id, &secret) => *then,
            Step::RequireClient { .. } => return Ok(invalid_client()),
            Step::Reset => return Err(reset()),
            Step::Token { expires_in } => return Ok(token(expires_in)),
            Step::Json { status, body } => return Ok(json_answer(status, &body)),
            Step::Raw { status, headers, body } => return Ok(raw(status, headers, body)),
            Step::RateLimited { retry_after } => return Ok(with(plain(429, "", ""), RETRY_AFTER, retry_after.as_deref())),
            Step::Status(status) => return Ok(plain(status, "", "")),
            Step::Html(status) => return Ok(plain(status, "text/html; charset=utf-8", PAGE)),
            Step::Garbage => return Ok(plain(200, "application/json", GARBAGE)),
            Step::Huge(bytes) => return Ok(streamed(move |sender| huge(sender, bytes))),
            Step::SlowBody(duration) => return Ok(streamed(move |sender| drip(sender, duration))),
            Step::Redirect(url) => return Ok(with(plain(307, "", ""), LOCATION, Some(&url))),
        }
    }
}

/// No script has this name.
pub(super) fn no_script() -> Response<AnswerBody> {
    json_answer(404, &json!({"error": "no script has this name"}))
}

fn token_body(expires_in: u64) -> Value {
    json!({"access_token": format!("scripted-{}", random_hex()), "token_type": "Bearer", "expires_in": expires_in})
}

/// RFC 6749 §5.1: a token answer must not be cached.
fn token(expires_in: u64) -> Response<AnswerBody> {
    with(json_answer(200, &token_body(expires_in)), CACHE_CONTROL, Some("no-store"))
}

fn invalid_client() -> Response<AnswerBody> {
    let body = json!({"error": "invalid_client", "error_description": "unknown client or wrong secret"});
    with(json_answer(401, &body), WWW_AUTHENTICATE, Some("Basic realm=\"scripted\""))
}

fn json_answer(status: u16, body: &Value) -> Response<AnswerBody> {
    plain(status, "application/json", body.to_string())
}

fn plain(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<AnswerBody> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed();
    let answer = with_status(Response::new(body), status);
    if content_type.is_empty() { answer } else { with(answer, CONTENT_TYPE, Some(content_type)) }
}

fn raw(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Response<AnswerBody> {
    let mut answer = plain(status, "", body);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes())) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}

fn with_status<B>(mut answer: Response<B>, status: u16) -> Response<B> {
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

fn with<B>(mut answer: Response<B>, name: HeaderName, value: Option<&str>) -> Response<B> {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

/// A body that a task of its own writes; the task ends when the client is gone.
fn streamed<F>(write: impl FnOnce(Sender<Bytes, io::Error>) -> F) -> Response<AnswerBody>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, body) = Channel::new(1);
    tokio::spawn(write(sender));
    with(Response::new(body.boxed()), CONTENT_TYPE, Some("application/json"))
}

async fn huge(mut sender: Sender<Bytes, io::Error>, bytes: u64) {
    let mut left = bytes;
    let mut next = Bytes::from_static(b"{\"access_token\":\"");
    let filling = Bytes::from(vec![b'a'; PIECE]);
    while left > 0 {
        let piece = next.slice(..next.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if sender.send_data(piece).await.is_err() {
            return;
        }
        next = filling.clone();
    }
}

async fn drip(mut sender: Sender<Bytes, io::Error>, duration: Duration) {
    let body = token_body(60).to_string().into_bytes();
    let size = body.len().div_ceil(DRIPS).max(1);
    let pause = duration / u32::try_from(body.len().div_ceil(size)).unwrap_or(1).max(1);
    for piece in body.chunks(size) {
        tokio::time::sleep(pause).await;
        if sender.send_data(Bytes::copy_from_slice(piece)).await.is_err() {
            return;
        }
    }
}

/// 128 random bits; the TLS library's generator, to have no other. All zeros if there is none.
fn random_hex() -> String {
    let mut bytes = [0_u8; 16];
    let _ = rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes);
    format!("{:032x}", u128::from_ne_bytes(bytes))
}
