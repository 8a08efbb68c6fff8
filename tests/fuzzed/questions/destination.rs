//! Any file of destinations is converted, with every property in the report and manifests that are a Secret and a `TokenSource`, or
//! refused in a message. Neither shows a secret.

use k8s_openapi::api::core::v1::Secret;
use tokensource::api::TokenSource;
use tokensource::destination::{Destination, Options, convert, parse, select};

use super::parts::{Parts, is_telling};

/// What holds secrets.
const SECRET: [&str; 5] =
    ["clientSecret", "Password", "tokenServicePassword", "tokenService.KeyStorePassword", "tokenServiceURL.headers.Authorization"];

/// `OPTIONS tenant 0xff name 0xff file`
pub fn ask(input: &[u8]) {
    let mut parts = Parts::of(input);
    let given = parts.byte();
    let (tenant, name) = (parts.text().to_owned(), parts.text().to_owned());
    let options = Options {
        namespace: (given & 1 > 0).then(|| name.clone()),
        name: (given & 2 > 0).then(|| name.clone()),
        tenant: (given & 4 > 0).then_some(tenant),
    };
    let destinations = match parse(parts.rest()) {
        Ok(destinations) => destinations,
        Err(error) => return is_told_within_bounds(&error.to_string()),
    };
    assert!(!destinations.is_empty());
    for destination in destinations.iter().take(8) {
        is_converted(destination.clone(), &options);
    }
    if let Err(error) = select(destinations, (given & 8 > 0).then_some(&name)) {
        is_told_within_bounds(&error.to_string());
    }
}

fn is_told_within_bounds(message: &str) {
    assert!(message.chars().count() < 32 * 1024 && !message.chars().any(char::is_control), "no message for a terminal");
}

fn is_converted(destination: Destination, options: &Options) {
    let names: Vec<String> = destination.properties.iter().map(|(name, _)| name.clone()).collect();
    let shown = |text: &str| names.iter().chain([&options.name, &options.namespace].into_iter().flatten()).any(|name| name.contains(text));
    let is_secret = |(name, value): &&(String, String)| {
        let shown_elsewhere = destination.properties.iter().any(|(other, text)| other != name && text.contains(value.as_str()));
        SECRET.contains(&name.as_str()) && is_telling(value) && !shown(value) && !shown_elsewhere
    };
    let secrets: Vec<String> = destination.properties.iter().filter(is_secret).map(|(_, value)| value.clone()).collect();
    assert!(secrets.iter().all(|secret| !format!("{destination:?}").contains(secret)), "Debug shows a secret");
    let said = said_of_other_secrets(destination.clone(), options);
    let shows_none =
        |text: &str| assert!(!secrets.iter().any(|secret| text.contains(secret) && !said.contains(secret)), "a secret is told");
    match convert(destination, options) {
        Ok(manifests) => {
            let report = manifests.report.to_string();
            assert!(names.iter().all(|name| manifests.report.outcome(name).is_some()), "a property is not in the report");
            assert!(!report.chars().any(|character| character.is_control() && character != '\n'), "no report for a terminal");
            shows_none(&report);
            shows_none(&manifests.source.to_string());
            assert!(serde_json::from_value::<TokenSource>(manifests.source).is_ok(), "no TokenSource");
            assert!(serde_json::from_value::<Secret>(manifests.secret).is_ok(), "no Secret");
        }
        Err(error) => {
            let message = error.to_string();
            is_told_within_bounds(&message);
            shows_none(&message);
        }
    }
}

/// What is said of the same destination with other secrets: a word of it tells none (`OAuth2ClientCredentials` can be a password).
fn said_of_other_secrets(mut destination: Destination, options: &Options) -> String {
    for (name, value) in &mut destination.properties {
        if SECRET.contains(&name.as_str()) {
            "another".clone_into(value);
        }
    }
    match convert(destination, options) {
        Ok(manifests) => format!("{}{}", manifests.report, manifests.source),
        Err(error) => error.to_string(),
    }
}
