//! What tests ask of the authorization servers' administrators: clients, users, issuers that a test needs for itself.

use serde_json::{Value, json};
use testenv::accounts::{ADMIN, KEYCLOAK_ADMINISTRATOR};

use crate::stage::Stage;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// An administrator who has logged on, at Keycloak for the realm `op`.
pub struct Administrator {
    base: String,
    bearer: String,
}

impl Administrator {
    pub async fn of_keycloak(stage: &Stage) -> Self {
        let base = stage.world.keycloak_url().unwrap();
        let user = KEYCLOAK_ADMINISTRATOR;
        let form = format!("grant_type=password&client_id=admin-cli&username={}&password={}", user.name, user.password);
        let bearer = bearer(&format!("{base}/realms/master/protocol/openid-connect/token"), form).await;
        Self { base: format!("{base}/admin/realms/op"), bearer }
    }

    pub async fn of_uaa(stage: &Stage) -> Self {
        let base = stage.world.uaa_url().unwrap();
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", ADMIN.id, ADMIN.secret);
        let bearer = bearer(&format!("{base}/oauth/token"), form).await;
        Self { base: base.to_owned(), bearer }
    }

    /// What stands at a path.
    pub async fn read(&self, path: &str) -> String {
        self.send(reqwest::Method::GET, path, None).await.1
    }

    /// Makes an object, and says what it is called.
    pub async fn make(&self, path: &str, object: &Value) -> String {
        let (location, text) = self.send(reqwest::Method::POST, path, Some(object)).await;
        let named = || serde_json::from_str::<Value>(&text).ok()?["id"].as_str().map(ToOwned::to_owned);
        location.map(|location| location.rsplit('/').next().unwrap().to_owned()).or_else(named).unwrap_or_default()
    }

    /// Changes some of an object.
    pub async fn change(&self, path: &str, part: &Value) {
        self.send(reqwest::Method::PATCH, path, Some(part)).await;
    }

    pub async fn delete(&self, path: &str) {
        self.send(reqwest::Method::DELETE, path, None).await;
    }

    /// Makes a user of the UAA's; `settings` are SCIM attributes. Says the user's id.
    pub async fn uaa_user(&self, name: &str, password: &str, settings: &Value) -> String {
        let mut user = json!({"userName": name, "password": password, "name": {"givenName": "T", "familyName": "User"},
            "emails": [{"value": format!("{name}@example.test")}], "active": true, "verified": true});
        user.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.make("Users", &user).await
    }

    /// Makes a user of Keycloak's.
    pub async fn keycloak_user(&self, name: &str, password: &str, is_temporary: bool) {
        let credentials = json!([{"type": "password", "value": password, "temporary": is_temporary}]);
        let user = json!({"username": name, "enabled": true, "emailVerified": true, "email": format!("{name}@example.test"),
            "firstName": "T", "lastName": "User", "credentials": credentials});
        self.make("users", &user).await;
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> (Option<String>, String) {
        let request = reqwest::Client::new().request(method, format!("{}/{path}", self.base)).header("authorization", &self.bearer);
        let request = request.header("accept", JSON).header("content-type", JSON);
        let response = request.body(body.map(ToString::to_string).unwrap_or_default()).send().await.unwrap();
        let (status, location) = (response.status().as_u16(), response.headers().get("location").cloned());
        let text = response.text().await.unwrap();
        assert!((200..300).contains(&status), "{path}: {status} {text}");
        (location.map(|location| location.to_str().unwrap().to_owned()), text)
    }
}

async fn bearer(token_url: &str, form: String) -> String {
    let response = reqwest::Client::new().post(token_url).header("content-type", FORM).body(form).send().await.unwrap();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    format!("Bearer {}", answer["access_token"].as_str().unwrap())
}
