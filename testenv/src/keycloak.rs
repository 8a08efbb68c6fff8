//! A real Keycloak, from Maven.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::accounts::{KEYCLOAK_ADMINISTRATOR, REALM};
use crate::cache::Cache;
use crate::error::{Error, InFile};
use crate::java;
use crate::keycloak_realm;
use crate::maven;
use crate::pki::Pki;
use crate::ports;
use crate::process::{self, Process};
use crate::progress::Progress;
use crate::ready;
use crate::scratch::Scratch;

const VERSION: &str = "26.7.3";
/// A busy machine takes more than a minute.
const LIMIT: Duration = Duration::from_secs(300);

/// What Keycloak compiles into itself, once; a start then changes nothing in the distribution, so that several share it.
/// The database is in memory: each start imports the realms anew. A client certificate is asked for, not demanded.
const BUILD_OPTIONS: [&str; 3] = ["--db=dev-mem", "--health-enabled=true", "--https-client-auth=request"];

/// Small enough for a laptop that runs two JVMs and a control plane.
const JAVA_OPTIONS: &str = "-Dfile.encoding=UTF-8 -Xms64m -Xmx512m -XX:MaxMetaspaceSize=256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";

/// The distribution, in the cache.
pub(crate) async fn obtain(cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<PathBuf, Error> {
    java::find().await?;
    let item = format!("keycloak-{VERSION}");
    let what = format!("fetching and preparing Keycloak {VERSION} (about a minute, once)");
    cache.item(&item, progress, |target| progress.long("keycloak", &what, prepare(scratch, target))).await
}

async fn prepare(scratch: &Scratch, target: PathBuf) -> Result<(), Error> {
    let fetched = target.join("fetched");
    maven::copy(scratch, &format!("org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"), &fetched).await?;
    maven::unpack(scratch, &fetched.join(format!("keycloak-quarkus-dist-{VERSION}.zip")), &fetched).await?;
    let unpacked = fetched.join(format!("keycloak-{VERSION}"));
    for entry in fs::read_dir(&unpacked).in_file(&unpacked)? {
        let entry = entry.in_file(&unpacked)?;
        fs::rename(entry.path(), target.join(entry.file_name())).in_file(entry.path())?;
    }
    fs::remove_dir_all(&fetched).in_file(&fetched)?;
    process::run(scratch, "keycloak-build", "preparing Keycloak", &target.join("bin/kc.sh"), |command| {
        command.arg("build").args(BUILD_OPTIONS).env("JAVA_OPTS", JAVA_OPTIONS);
    })
    .await
}

/// A running Keycloak.
#[derive(Debug)]
pub(crate) struct Keycloak {
    process: Process,
    /// Base URL, plain http.
    pub(crate) url: String,
    /// Base URL with https.
    pub(crate) tls_url: String,
}

impl Keycloak {
    /// Starts it with the realms of [`keycloak_realm`]; ready when the main one's discovery document is there.
    pub(crate) async fn start(distribution: &Path, pki: &Pki, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        progress.say("keycloak", &format!("starting Keycloak {VERSION} (about half a minute) …"));
        let started = ready::retried(|| Self::try_start(distribution, pki, scratch)).await?;
        progress.say("keycloak", "ready");
        Ok(started)
    }

    async fn try_start(distribution: &Path, pki: &Pki, scratch: &Scratch) -> Result<Self, Error> {
        let home = home(distribution, &scratch.fresh_folder("keycloak")?, pki)?;
        let [http, https, management] = ports::free()?;
        let mut process = Process::spawn(scratch, "keycloak-server", &home.join("bin/kc.sh"), |command| {
            arguments(command, pki, http, https, management);
        })
        .await?;
        let url = format!("http://127.0.0.1:{http}");
        let discovery = format!("{url}/realms/{REALM}/.well-known/openid-configuration");
        ready::until_ok(&ready::probe_client(None)?, &discovery, &mut [&mut process], LIMIT).await?;
        Ok(Self { process, url, tls_url: format!("https://127.0.0.1:{https}") })
    }

    /// Ends it.
    pub(crate) async fn end(self) {
        self.process.end().await;
    }
}

/// A Keycloak home that shares the distribution and has data of its own. `bin` is copied: kc.sh takes the folder it really
/// lies in for its home.
fn home(distribution: &Path, home: &Path, pki: &Pki) -> Result<PathBuf, Error> {
    for shared in ["lib", "providers", "themes", "conf"] {
        let link = home.join(shared);
        symlink(distribution.join(shared), &link).in_file(link)?;
    }
    let program = home.join("bin/kc.sh");
    for folder in ["bin", "data/import"] {
        fs::create_dir_all(home.join(folder)).in_file(home.join(folder))?;
    }
    fs::copy(distribution.join("bin/kc.sh"), &program).in_file(program)?;
    for (name, realm) in keycloak_realm::realms(pki)? {
        let file = home.join(format!("data/import/{name}-realm.json"));
        fs::write(&file, serde_json::to_vec_pretty(&realm)?).in_file(file)?;
    }
    Ok(home.to_owned())
}

fn arguments(command: &mut Command, pki: &Pki, http: u16, https: u16, management: u16) {
    command.args(["start", "--optimized", "--import-realm", "--http-enabled=true", "--hostname-strict=false"]);
    // Without a local cache it listens on all interfaces for its cluster.
    command.args(["--cache=local", "--http-host=127.0.0.1", "--http-management-host=127.0.0.1"]);
    command.arg(format!("--http-port={http}")).arg(format!("--https-port={https}"));
    command.arg(format!("--http-management-port={management}"));
    command.arg(format!("--https-certificate-file={}", pki.certificate(Pki::SERVER).display()));
    command.arg(format!("--https-certificate-key-file={}", pki.key(Pki::SERVER).display()));
    command.arg(format!("--truststore-paths={}", pki.certificate(Pki::CA).display()));
    command.env("JAVA_OPTS", JAVA_OPTIONS);
    command.env("KC_BOOTSTRAP_ADMIN_USERNAME", KEYCLOAK_ADMINISTRATOR.name);
    command.env("KC_BOOTSTRAP_ADMIN_PASSWORD", KEYCLOAK_ADMINISTRATOR.password);
}
