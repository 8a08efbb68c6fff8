//! The commands `status` and `refresh`, as a person or a script calls them, also as a plugin of kubectl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use testenv::{ScriptedEndpoint, Step};
use tokio::task::spawn_blocking;

use crate::stage::Stage;

/// What a command printed, and its exit code.
struct Told {
    code: Option<i32>,
    text: String,
    complaint: String,
}

impl Told {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), text: text(output.stdout), complaint: text(output.stderr) }
    }

    /// The text on one line, with a blank between words.
    fn words(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Runs it beside the test, whose endpoint has to answer meanwhile.
async fn run(mut command: Command) -> Told {
    Told::of(spawn_blocking(move || command.output().unwrap()).await.unwrap())
}

async fn tokensource(kubeconfig: &Path, arguments: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokensource"));
    command.args(arguments).env("KUBECONFIG", kubeconfig).env_remove("COLUMNS");
    run(command).await
}

/// Runs it in the stage's namespace.
async fn on(stage: &Stage, arguments: &[&str]) -> Told {
    let arguments = [arguments, &["-n", &stage.namespace]].concat();
    tokensource(stage.world.kubeconfig().unwrap(), &arguments).await
}

fn wrong_client() -> Step {
    Step::Json { status: 401, body: json!({"error": "invalid_client", "error_description": "Bad client credentials"}) }
}

/// One source with a token and one whose client is refused.
async fn good_and_refused(stage: &Stage, endpoint: &ScriptedEndpoint) {
    stage.secret("client", &[("client_id", "c"), ("client_secret", "s3cret-of-c")]).await;
    for (name, step) in [("good", Step::Token { expires_in: 3600 }), ("refused", wrong_client())] {
        endpoint.script(name, vec![step]);
        stage.source(name, json!({"tokenURL": endpoint.url(name), "credentials": {"secretRef": {"name": "client"}}})).await;
    }
    stage.until_ready("good").await;
    stage.until_refused("refused", "ClientAuthenticationFailed").await;
}

#[tokio::test]
async fn status_shows_a_good_and_a_refused_source() {
    let stage = Stage::set("status").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    good_and_refused(&stage, &endpoint).await;
    let host = endpoint.base_url().replace("http://", "");

    let told = on(&stage, &["status"]).await;
    assert_eq!((told.code, told.complaint.as_str()), (Some(1), ""), "{}", told.text);
    let lines: Vec<&str> = told.text.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["NAME", "READY", "VERDICT", "EXPIRES", "NEXT"]);
    let good: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!((&good[..3], good[5]), (&["good", "True", "TokenIssued"][..], "renewal"), "{}", lines[1]);
    assert!(lines[2].starts_with("refused   False   ClientAuthenticationFailed") && lines[2].contains("attempt in "), "{}", lines[2]);
    assert!(lines[3].starts_with(&format!("    {host} answered 401 invalid_client: ")), "{}", lines[3]);
    assert!(told.words().contains("Remedy: ") && lines.iter().all(|line| line.chars().count() <= 100), "{}", told.text);
    assert!(!told.text.contains("s3cret"));

    let told = on(&stage, &["status", "good"]).await;
    assert_eq!(told.code, Some(0), "{}", told.text);
    assert!(told.text.contains(&format!("\nEndpoint      {host}\nGrant         ClientCredentials\n")), "{}", told.text);
    let told = on(&stage, &["status", "refused"]).await;
    assert_eq!(told.code, Some(1));
    assert!(told.text.contains("\nHTTP status   401\nError         invalid_client\n"), "{}", told.text);
}

#[tokio::test]
async fn status_gives_machines_a_list_of_facts() {
    let stage = Stage::set("statusjson").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    good_and_refused(&stage, &endpoint).await;
    let label = stage.world.kubectl().unwrap().args(["label", "tks", "good", "team=a", "-n", &stage.namespace]).output().unwrap();
    assert!(label.status.success());

    for (arguments, code, names) in [
        (vec!["status", "-o", "json"], 1, vec!["good", "refused"]),
        (vec!["status", "-o", "json", "good"], 0, vec!["good"]),
        (vec!["status", "-o", "json", "-l", "team=a"], 0, vec!["good"]),
        (vec!["status", "-o", "json", "-l", "team=b"], 0, vec![]),
    ] {
        let told = on(&stage, &arguments).await;
        let list: Value = serde_json::from_str(&told.text).unwrap();
        let listed: Vec<&str> = list.as_array().unwrap().iter().map(|source| source["name"].as_str().unwrap()).collect();
        assert_eq!((told.code, listed), (Some(code), names), "{arguments:?}");
    }
    let told = on(&stage, &["status", "-o", "json", "refused"]).await;
    let list: Value = serde_json::from_str(&told.text).unwrap();
    let facts = ["ready", "reason", "namespace"].map(|fact| list[0][fact].as_str().unwrap().to_owned());
    assert_eq!(facts, ["False", "ClientAuthenticationFailed", &stage.namespace]);
    assert_eq!(list[0]["lastFailure"]["httpStatus"], 401);

    let told = tokensource(stage.world.kubeconfig().unwrap(), &["status", "-A", "-l", "team=a"]).await;
    assert!(told.text.starts_with("NAMESPACE") && told.text.contains(&stage.namespace), "{}", told.text);
    let told = on(&stage, &["status", "-l", "team=b"]).await;
    assert_eq!((told.code, told.text.as_str()), (Some(0), ""));
    assert!(told.complaint.contains("no TokenSource with these labels in namespace"), "{}", told.complaint);
}

#[tokio::test]
async fn refresh_waits_for_a_new_token() {
    let stage = Stage::set("refresh").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.orders(&endpoint, vec![Step::Token { expires_in: 3600 }]).await;
    stage.until_ready("orders").await;
    let before = stage.token("orders").await;

    let told = on(&stage, &["refresh", "orders", "--wait"]).await;
    assert_eq!((told.code, told.complaint.as_str()), (Some(0), ""), "{}", told.text);
    assert!(told.words().contains("A new token is in Secret orders; it expires in "), "{}", told.text);
    assert_eq!(endpoint.count("orders"), 2);
    assert_ne!(stage.token("orders").await, before);

    let told = on(&stage, &["refresh", "orders"]).await;
    assert_eq!(told.code, Some(0));
    assert!(told.words().contains("a token is requested (tokensource.dev/refresh-requested-at: 20"), "{}", told.text);
    let value = told.words().rsplit("requested-at: ").next().unwrap().trim_end_matches(").").to_owned();
    stage.until("orders", "handled", |status| status.0.last_handled_refresh_request.as_deref() == Some(value.as_str())).await;
    assert_eq!(endpoint.count("orders"), 3);
}

#[tokio::test]
async fn refresh_tells_a_refusal_and_never_goes_past_the_ledger() {
    let stage = Stage::set("refreshrefused").await;
    let _operator = stage.operator();
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    stage.orders(&endpoint, vec![wrong_client()]).await;
    stage.until_refused("orders", "ClientAuthenticationFailed").await;
    for said in ["answered 401 invalid_client", "They are not sent again before the hour is over"] {
        let told = on(&stage, &["refresh", "orders", "--wait=100s"]).await;
        assert_eq!(told.code, Some(1), "{}{}", told.text, told.complaint);
        let words = told.words();
        assert!(
            words.contains("No new token: ClientAuthenticationFailed") && words.contains(said) && words.contains("Remedy: "),
            "{words}"
        );
    }
    assert_eq!(endpoint.count("orders"), 2);
}

#[tokio::test]
async fn a_refresh_that_nobody_acts_on_ends_with_four() {
    let stage = Stage::set("refreshalone").await;
    let spec = |suspend: bool| json!({"tokenURL": "https://login.example.com", "credentials": {"secretRef": {"name": "none"}}, "suspend": suspend});
    stage.source("orders", spec(false)).await;
    let told = on(&stage, &["refresh", "orders", "--wait=1"]).await;
    assert_eq!(told.code, Some(4), "{}", told.complaint);
    assert!(
        told.words().ends_with("Nobody acted on it within 1s: is the operator running, and does it watch this namespace?"),
        "{}",
        told.text
    );

    let _operator = stage.operator();
    stage.until_refused("orders", "CredentialsNotFound").await;
    let told = on(&stage, &["refresh", "orders", "--wait=1s"]).await;
    assert_eq!(told.code, Some(4));
    assert!(told.words().contains("it may be waiting for the end of what it said last: there is no Secret none"), "{}", told.text);

    stage.source("orders", spec(true)).await;
    let told = on(&stage, &["refresh", "orders", "--wait"]).await;
    assert_eq!(told.code, Some(4));
    assert!(told.words().ends_with("It is suspended: nothing happens until spec.suspend is false."), "{}", told.text);
}

/// A kubeconfig of one cluster at this URL.
fn kubeconfig(folder: &Path, server: &str) -> PathBuf {
    let file = folder.join(format!("{}.yaml", server.replace(['/', ':'], "-")));
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "here", "users": [{"name": "me", "user": {"token": "t0ken"}}],
        "clusters": [{"name": "there", "cluster": {"server": server}}],
        "contexts": [{"name": "here", "context": {"cluster": "there", "user": "me"}}]});
    fs::write(&file, config.to_string()).unwrap();
    file
}

#[tokio::test]
async fn what_can_not_be_done_is_told_with_what_to_do() {
    let stage = Stage::set("commandfaults").await;
    let endpoint = ScriptedEndpoint::start().await.unwrap();
    let raw =
        |status| Step::Raw { status, headers: vec![("content-type".into(), "text/plain".into())], body: b"404 page not found\n".to_vec() };
    for (name, status) in [("no-crd", 404), ("unwell", 503), ("logged-off", 401)] {
        endpoint.script(name, vec![raw(status)]);
    }
    let folder = TempDir::new().unwrap();
    let good = stage.world.kubeconfig().unwrap();
    let at = |name: &str| kubeconfig(folder.path(), &endpoint.url(name));
    let (no_crd, unwell, logged_off) = (at("no-crd"), at("unwell"), at("logged-off"));
    let closed = kubeconfig(folder.path(), "http://127.0.0.1:1");
    let broken = folder.path().join("broken.yaml");
    fs::write(&broken, "users: [{token: t0ken").unwrap();
    let missing = folder.path().join("missing.yaml");
    for (file, arguments, code, complaint) in [
        (good, vec!["status", "nobody", "-n", "nowhere"], 2, "no TokenSource nobody in namespace nowhere; `tokensource status -n nowhere`"),
        (good, vec!["refresh", "nobody"], 2, "no TokenSource nobody in namespace default"),
        (
            good,
            vec!["status", "--context", "nobody"],
            2,
            "no cluster: failed to load current context: nobody. Name a kubeconfig by --kubeconfig",
        ),
        (good, vec!["status", "-l", "a=b=c"], 2, "the API server refuses it: "),
        (&missing, vec!["status"], 2, "no cluster: failed to read kubeconfig"),
        (good, vec!["status", "--kubeconfig", missing.to_str().unwrap()], 2, "no cluster: failed to read kubeconfig"),
        (&broken, vec!["status"], 2, "no cluster: the kubeconfig is no YAML"),
        (&no_crd, vec!["status"], 2, "install the CRD by `tokensource crd | kubectl apply -f -`"),
        (&no_crd, vec!["refresh", "orders"], 2, "install the CRD by `tokensource crd | kubectl apply -f -`"),
        (&logged_off, vec!["status"], 2, "not logged on to the cluster"),
        (&unwell, vec!["status"], 3, "was not reached: it answered 503"),
        (&closed, vec!["status"], 3, "the API server http://127.0.0.1:1 was not reached: "),
        (&closed, vec!["refresh", "orders", "--wait"], 3, "the API server http://127.0.0.1:1 was not reached: "),
    ] {
        let told = tokensource(file, &arguments).await;
        assert_eq!((told.code, told.text.as_str()), (Some(code), ""), "{arguments:?}: {}", told.complaint);
        assert!(told.complaint.contains(complaint) && !told.complaint.contains("t0ken"), "{arguments:?}: {}", told.complaint);
    }
}

#[tokio::test]
async fn kubectl_finds_it_as_a_plugin_and_the_context_names_the_namespace() {
    let stage = Stage::set("plugin").await;
    stage.source("orders", json!({"tokenURL": "https://login.example.com", "credentials": {"secretRef": {"name": "client"}}})).await;
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tokensource"), folder.path().join("kubectl-tokensource")).unwrap();
    let config = folder.path().join("config");
    fs::copy(stage.world.kubeconfig().unwrap(), &config).unwrap();
    let kubectl = |arguments: &[&str]| {
        let mut command = stage.world.kubectl().unwrap();
        command.args(arguments).env("KUBECONFIG", &config).env("PATH", folder.path());
        command
    };
    let told = run(kubectl(&["config", "set-context", "--current", "--namespace", &stage.namespace])).await;
    assert_eq!(told.code, Some(0), "{}", told.complaint);

    let told = run(kubectl(&["tokensource", "status", "orders"])).await;
    assert_eq!(told.code, Some(1), "{}", told.complaint);
    assert!(told.words().contains(&format!("Namespace {} Ready Unknown Verdict Pending", stage.namespace)), "{}", told.text);
    let told = run(kubectl(&["tokensource", "refresh", "orders"])).await;
    assert_eq!(told.code, Some(0), "{}", told.complaint);
    let told = run(kubectl(&["tokensource", "status", "--help"])).await;
    assert!(told.text.contains("Usage: kubectl tokensource status [OPTIONS] [NAME]"), "{}", told.text);
}
