//! Reads the data of a credentials Secret: plain keys, or a service binding as the SAP BTP service operator writes it,
//! with its credentials as keys of their own or as one JSON document under one key.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde_json::{Map, Value};

/// The data of one Secret, with its name for messages.
pub struct SecretData<'a> {
    /// The Secret's name.
    pub name: &'a str,
    data: &'a BTreeMap<String, ByteString>,
    document: Option<Map<String, Value>>,
}

/// A JSON document is a service binding if it holds one of these.
const MARKS: [&str; 4] = ["clientid", "clientId", "client_id", "uaa"];

impl<'a> SecretData<'a> {
    /// Looks for a JSON document among the values.
    pub fn new(name: &'a str, data: &'a BTreeMap<String, ByteString>) -> Self {
        let document = data.values().find_map(|ByteString(bytes)| {
            let object = serde_json::from_slice::<Map<String, Value>>(bytes).ok()?;
            MARKS.iter().any(|mark| object.contains_key(*mark)).then_some(object)
        });
        Self { name, data, document }
    }

    /// The bytes under a key of the Secret, else of the JSON document, else of its `uaa` part (bindings of business
    /// services keep the client there).
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        if let Some(ByteString(bytes)) = self.data.get(key) {
            return Some(bytes.clone());
        }
        let document = self.document.as_ref()?;
        let nested = || document.get("uaa").and_then(Value::as_object).and_then(|uaa| uaa.get(key));
        let text = document.get(key).or_else(nested)?.as_str()?;
        Some(text.as_bytes().to_vec())
    }

    /// The first of several keys that is there, with its bytes.
    pub fn first<'k>(&self, keys: &[&'k str]) -> Option<(&'k str, Vec<u8>)> {
        keys.iter().find_map(|key| self.bytes(key).map(|bytes| (*key, bytes)))
    }

    fn text(&self, key: &str) -> Option<String> {
        self.bytes(key).and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The token URL that a service binding implies: its `certurl` for a certificate, else its `url`, with the path of
    /// Identity Authentication or of XSUAA.
    pub fn derived_token_url(&self, by_certificate: bool) -> Option<String> {
        // A business service's own url stands beside that of its uaa part.
        let in_uaa = |key: &str| self.document.as_ref()?.get("uaa")?.get(key)?.as_str().map(ToOwned::to_owned);
        let text = |key: &str| in_uaa(key).or_else(|| self.text(key));
        let base = if by_certificate { text("certurl").or_else(|| text("url")) } else { text("url") }?;
        let base = base.trim_end_matches('/');
        let identity_authentication = ["accounts.ondemand.com", "accounts400.ondemand.com", "accounts.cloud.sap", "accounts.sapcloud.cn"];
        let path = if identity_authentication.iter().any(|domain| base.ends_with(domain)) { "oauth2/token" } else { "oauth/token" };
        Some(format!("{base}/{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn data(value: &Value) -> BTreeMap<String, ByteString> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        value.as_object().unwrap().iter().map(|(key, value)| (key.clone(), ByteString(text(value).into_bytes()))).collect()
    }

    #[test]
    fn a_binding_is_read_flat_as_one_document_and_from_its_uaa_part() {
        for (sentence, value) in [
            ("flat keys", json!({"clientid": "sb-shop!t1", "url": "https://sub.auth.example.com", "type": "xsuaa"})),
            ("one document", json!({"binding": {"clientid": "sb-shop!t1", "url": "https://sub.auth.example.com"}, "type": "xsuaa"})),
            (
                "a nested part",
                json!({"credentials": {"url": "https://orders.example.com", "uaa": {"clientid": "sb-shop!t1", "url": "https://sub.auth.example.com"}}}),
            ),
        ] {
            let data = data(&value);
            let secret = SecretData::new("binding", &data);
            assert_eq!(secret.first(&["client_id", "clientid"]), Some(("clientid", b"sb-shop!t1".to_vec())), "{sentence}");
            assert_eq!(secret.derived_token_url(false).as_deref(), Some("https://sub.auth.example.com/oauth/token"), "{sentence}");
        }
    }

    #[test]
    fn the_token_url_follows_from_the_bindings_url() {
        for (value, by_certificate, expected) in [
            (
                json!({"url": "https://sub.authentication.eu10.example.com/"}),
                false,
                Some("https://sub.authentication.eu10.example.com/oauth/token"),
            ),
            (
                json!({"url": "https://sub.authentication.eu10.example.com", "certurl": "https://sub.authentication.cert.eu10.example.com"}),
                true,
                Some("https://sub.authentication.cert.eu10.example.com/oauth/token"),
            ),
            (json!({"url": "https://tenant.accounts.ondemand.com"}), true, Some("https://tenant.accounts.ondemand.com/oauth2/token")),
            (json!({"client_id": "a"}), false, None),
        ] {
            let data = data(&value);
            assert_eq!(SecretData::new("binding", &data).derived_token_url(by_certificate).as_deref(), expected);
        }
    }

    #[test]
    fn a_document_that_is_no_binding_is_left_alone() {
        let data = data(&json!({"config": {"user": "x"}, "client_id": "a"}));
        assert_eq!(SecretData::new("plain", &data).bytes("user"), None);
    }
}
