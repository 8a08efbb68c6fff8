//! A real Cloud Foundry UAA, from Maven: the server that XSUAA derives from.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::cache::Cache;
use crate::error::{Error, InFile};
use crate::java;
use crate::maven;
use crate::pki::Pki;
use crate::ports;
use crate::process::Process;
use crate::progress::Progress;
use crate::ready;
use crate::scratch::Scratch;
use crate::uaa_config;

const VERSION: &str = "4.30.0";
const TOMCAT_VERSION: &str = "9.0.117";
const LIMIT: Duration = Duration::from_secs(300);

/// JAXB left the JDK with version 11.
const JAXB: [&str; 5] = [
    "javax.xml.bind:jaxb-api:2.3.1",
    "org.glassfish.jaxb:jaxb-runtime:2.3.9",
    "org.glassfish.jaxb:txw2:2.3.9",
    "com.sun.istack:istack-commons-runtime:3.0.12",
    "com.sun.activation:jakarta.activation:1.2.2",
];
/// The WAR's own Groovy fails on JDK 17.
const OLD_GROOVY: &str = "WEB-INF/lib/groovy-2.5.2.jar";
const BUILT_IN_CONFIGURATION: &str = "WEB-INF/classes/uaa.yml";
const GROOVY: &str = "org.codehaus.groovy:groovy:2.5.23";

/// Libraries of 2019 reflect into the JDK.
const OPENED_PACKAGES: [&str; 5] = ["java.lang", "java.util", "java.lang.reflect", "java.text", "java.net"];

/// Tomcat, the unpacked WAR and the libraries, in the cache.
pub(crate) async fn obtain(cache: &Cache, scratch: &Scratch, progress: &Progress) -> Result<PathBuf, Error> {
    java::find().await?;
    let item = format!("uaa-{VERSION}-tomcat-{TOMCAT_VERSION}");
    let what = format!("fetching UAA {VERSION} and Tomcat {TOMCAT_VERSION} (about half a minute, once)");
    cache.item(&item, progress, |target| progress.long("uaa", &what, prepare(scratch, target))).await
}

async fn prepare(scratch: &Scratch, target: PathBuf) -> Result<(), Error> {
    maven::copy(scratch, &format!("org.cloudfoundry.identity:cloudfoundry-identity-uaa:{VERSION}:war"), &target).await?;
    maven::copy(scratch, &format!("org.apache.tomcat:tomcat:{TOMCAT_VERSION}:zip"), &target).await?;
    let war = target.join("war");
    maven::unpack(scratch, &target.join(format!("cloudfoundry-identity-uaa-{VERSION}.war")), &war).await?;
    maven::unpack(scratch, &target.join(format!("tomcat-{TOMCAT_VERSION}.zip")), &target).await?;
    for library in JAXB {
        maven::copy(scratch, library, &target.join("lib")).await?;
    }
    let old = war.join(OLD_GROOVY);
    fs::remove_file(&old).in_file(old)?;
    drop_long_comments(&war.join(BUILT_IN_CONFIGURATION))?;
    maven::copy(scratch, GROOVY, &war.join("WEB-INF/lib")).await
}

/// A comment of 90,000 characters in the UAA's own configuration costs its YAML parser, whose time is quadratic in the length
/// of a comment, 15 to 30 s at each start.
fn drop_long_comments(configuration: &Path) -> Result<(), Error> {
    let text = fs::read_to_string(configuration).in_file(configuration)?;
    let is_kept = |line: &&str| line.len() < 2000 || !line.trim_start().starts_with('#');
    let kept: Vec<&str> = text.lines().filter(is_kept).collect();
    fs::write(configuration, kept.join("\n")).in_file(configuration)
}

/// A running UAA.
#[derive(Debug)]
pub(crate) struct Uaa {
    process: Process,
    /// Base URL with the context path.
    pub(crate) url: String,
}

impl Uaa {
    /// Starts it with the clients of [`uaa_config`]; ready when its health check says so.
    pub(crate) async fn start(distribution: &Path, pki: &Pki, scratch: &Scratch, progress: &Progress) -> Result<Self, Error> {
        progress.say("uaa", &format!("starting UAA {VERSION} (about half a minute) …"));
        let started = ready::retried(|| Self::try_start(distribution, pki, scratch)).await?;
        progress.say("uaa", "ready");
        Ok(started)
    }

    async fn try_start(distribution: &Path, pki: &Pki, scratch: &Scratch) -> Result<Self, Error> {
        let base = scratch.fresh_folder("uaa")?;
        let [port] = ports::free()?;
        let url = format!("http://127.0.0.1:{port}/uaa");
        write_base(distribution, &base, port)?;
        let configuration = base.join("uaa.yml");
        fs::write(&configuration, uaa_config::document(&url, pki)?).in_file(configuration)?;
        let tomcat = tomcat(distribution);
        let mut process = Process::spawn(scratch, "uaa-server", Path::new("sh"), |command| {
            command.arg(tomcat.join("bin/catalina.sh")).arg("run");
            environment(command, &tomcat, &base);
        })
        .await?;
        ready::until_ok(&ready::probe_client(None)?, &format!("{url}/healthz"), &mut [&mut process], LIMIT).await?;
        Ok(Self { process, url })
    }

    /// Ends it.
    pub(crate) async fn end(self) {
        self.process.end().await;
    }
}

fn tomcat(distribution: &Path) -> PathBuf {
    distribution.join(format!("apache-tomcat-{TOMCAT_VERSION}"))
}

/// Tomcat's `CATALINA_BASE`: what one instance has of its own.
fn write_base(distribution: &Path, base: &Path, port: u16) -> Result<(), Error> {
    for folder in ["conf", "logs", "temp", "work", "webapps"] {
        fs::create_dir_all(base.join(folder)).in_file(base.join(folder))?;
    }
    let libraries = base.join("lib");
    std::os::unix::fs::symlink(distribution.join("lib"), &libraries).in_file(libraries)?;
    for file in ["web.xml", "catalina.properties"] {
        fs::copy(tomcat(distribution).join("conf").join(file), base.join("conf").join(file)).in_file(base.join("conf").join(file))?;
    }
    let server = base.join("conf/server.xml");
    fs::write(&server, server_xml(&base.join("webapps"), &distribution.join("war"), port)).in_file(server)?;
    // commons-ssl, which the UAA's SAML library loads trusted certificates with, can't read a PKCS#12 `cacerts`.
    let security = base.join("conf/java.security");
    fs::write(&security, "keystore.type=jks\n").in_file(security)
}

fn server_xml(webapps: &Path, war: &Path, port: u16) -> String {
    let (webapps, war) = (webapps.display(), war.display());
    format!(
        r#"<?xml version="1.0"?>
<Server port="-1">
  <Service name="Catalina">
    <Connector address="127.0.0.1" port="{port}" protocol="HTTP/1.1"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="{webapps}" unpackWARs="false" autoDeploy="false">
        <Context path="/uaa" docBase="{war}"><JarScanner scanClassPath="false"/></Context>
      </Host>
    </Engine>
  </Service>
</Server>
"#
    )
}

fn environment(command: &mut Command, tomcat: &Path, base: &Path) {
    let opened: String = OPENED_PACKAGES.map(|package| format!(" --add-opens=java.base/{package}=ALL-UNNAMED")).concat();
    let base_path = base.display();
    let options = format!(
        "-Xms64m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true \
         -Djava.security.properties={base_path}/conf/java.security -DUAA_CONFIG_PATH={base_path}{opened}"
    );
    command.env("CATALINA_HOME", tomcat).env("CATALINA_BASE", base).env("UAA_CONFIG_PATH", base).env("JAVA_OPTS", options);
}
