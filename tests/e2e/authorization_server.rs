//! Keycloak: whom the operator asks, whose keys the resource server trusts, and who changes a client's secret.

use reqwest::Method;
use serde_json::Value;
use testenv::World;
use testenv::accounts::{KEYCLOAK_ADMINISTRATOR, REALM};

/// The realm's server.
pub struct AuthorizationServer {
    plain: String,
    secure: String,
}

impl AuthorizationServer {
    pub fn of(world: &World) -> Self {
        // By name, so that the operator's image has to resolve one.
        let secure = world.keycloak_tls_url().unwrap().replace("127.0.0.1", "localhost");
        Self { plain: world.keycloak_url().unwrap().to_owned(), secure }
    }

    pub fn token_url(&self) -> String {
        format!("{}/protocol/openid-connect/token", self.issuer())
    }

    /// `iss` of its tokens.
    pub fn issuer(&self) -> String {
        format!("{}/realms/{REALM}", self.secure)
    }

    /// Its keys (RFC 7517).
    pub async fn keys(&self) -> Value {
        self.send(Method::GET, &format!("realms/{REALM}/protocol/openid-connect/certs"), None, String::new()).await
    }

    /// Gives a client a new secret; the old one is refused from then on.
    pub async fn rotate_secret(&self, client: &str) -> String {
        let user = KEYCLOAK_ADMINISTRATOR;
        let form = format!("grant_type=password&client_id=admin-cli&username={}&password={}", user.name, user.password);
        let answer = self.send(Method::POST, "realms/master/protocol/openid-connect/token", None, form).await;
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        let found = self.send(Method::GET, &format!("admin/realms/{REALM}/clients?clientId={client}"), Some(&bearer), String::new()).await;
        let path = format!("admin/realms/{REALM}/clients/{}/client-secret", found[0]["id"].as_str().unwrap());
        self.send(Method::POST, &path, Some(&bearer), String::new()).await["value"].as_str().unwrap().to_owned()
    }

    async fn send(&self, method: Method, path: &str, bearer: Option<&str>, form: String) -> Value {
        let mut request = reqwest::Client::new().request(method, format!("{}/{path}", self.plain)).body(form);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(bearer) = bearer {
            request = request.header("authorization", bearer);
        }
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }
}
