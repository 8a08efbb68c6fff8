//! Requests to the API server, counted by a layer around its client.

use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt as _};
use http::{Method, Request, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tower::{Layer, Service};

/// The label of a request that got no answer.
const NO_ANSWER: &str = "none";

/// Counters of requests, and the layer that counts them.
#[derive(Clone)]
pub struct KubernetesRequests(Family<Labels, Counter>);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    verb: &'static str,
    resource: String,
    code: String,
}

impl KubernetesRequests {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let help = "Requests to the API server by verb, resource and status code; none where no answer came";
        registry.register("kubernetes_requests", help, requests.clone());
        Self(requests)
    }

    fn count(&self, verb: &'static str, resource: String, code: String) {
        self.0.get_or_create(&Labels { verb, resource, code }).inc();
    }
}

impl<S> Layer<S> for KubernetesRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, requests: self.clone() }
    }
}

/// A client whose requests are counted. Outside of its retries: each request once, by the answer that the caller sees.
#[derive(Clone)]
pub struct Counted<S> {
    inner: S,
    requests: KubernetesRequests,
}

impl<S, Q, A> Service<Request<Q>> for Counted<S>
where
    S: Service<Request<Q>, Response = Response<A>>,
    S::Future: Send + 'static,
    A: 'static,
    S::Error: 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<A>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (requests, (verb, resource)) = (self.requests.clone(), asked(request.method(), request.uri().path(), request.uri().query()));
        let answer = self.inner.call(request);
        async move {
            let answer = answer.await;
            let code = answer.as_ref().map_or_else(|_| NO_ANSWER.to_owned(), |response| response.status().as_u16().to_string());
            requests.count(verb, resource, code);
            answer
        }
        .boxed()
    }
}

/// Verb and resource in the words of RBAC. Names and namespaces of objects are left out.
fn asked(method: &Method, path: &str, query: Option<&str>) -> (&'static str, String) {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let within = match segments.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        // Discovery, /version and the like.
        [first, ..] => return (verb(method, true, false), (*first).to_owned()),
        [] => return (verb(method, true, false), "none".to_owned()),
    };
    let within = match within {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        whole => whole,
    };
    let is_watch = query.is_some_and(|query| query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1")));
    match within {
        [resource, _, subresource, ..] => (verb(method, true, false), format!("{resource}/{subresource}")),
        [resource, _] => (verb(method, true, is_watch), (*resource).to_owned()),
        [resource] => (verb(method, false, is_watch), (*resource).to_owned()),
        [] => (verb(method, true, false), "none".to_owned()),
    }
}

fn verb(method: &Method, is_named: bool, is_watch: bool) -> &'static str {
    match (method.as_str(), is_named, is_watch) {
        ("GET", _, true) => "watch",
        ("GET", true, false) => "get",
        ("GET", false, false) => "list",
        ("POST", ..) => "create",
        ("PUT", ..) => "update",
        ("PATCH", ..) => "patch",
        ("DELETE", true, _) => "delete",
        ("DELETE", false, _) => "deletecollection",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_in_the_words_of_rbac() {
        let secret = "/api/v1/namespaces/shop/secrets/orders";
        let source = "/apis/tokensource.dev/v1alpha1/namespaces/shop/tokensources/orders/status";
        for (method, path, query, expected) in [
            (Method::GET, secret, None, ("get", "secrets")),
            (Method::GET, "/api/v1/namespaces/shop/secrets", Some("limit=500"), ("list", "secrets")),
            (Method::GET, "/api/v1/secrets", Some("resourceVersion=4&watch=true"), ("watch", "secrets")),
            (Method::PATCH, secret, Some("force=true&fieldManager=tokensource"), ("patch", "secrets")),
            (Method::PATCH, source, Some("force=true"), ("patch", "tokensources/status")),
            (Method::POST, "/apis/events.k8s.io/v1/namespaces/shop/events", None, ("create", "events")),
            (Method::POST, "/api/v1/namespaces/shop/serviceaccounts/app/token", None, ("create", "serviceaccounts/token")),
            (Method::PUT, "/apis/coordination.k8s.io/v1/namespaces/ops/leases/tokensource", None, ("update", "leases")),
            (Method::DELETE, secret, None, ("delete", "secrets")),
            (Method::GET, "/api/v1/namespaces/shop", None, ("get", "namespaces")),
            (Method::GET, "/version", None, ("get", "version")),
            (Method::GET, "/apis", None, ("get", "apis")),
        ] {
            let (verb, resource) = asked(&method, path, query);
            assert_eq!((verb, resource.as_str()), expected, "{method} {path}");
        }
    }
}
