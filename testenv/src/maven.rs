//! Fetches artifacts through the user's own Maven, with its mirrors, proxies and local repository.

use std::path::Path;

use crate::error::{Error, InFile};
use crate::process;
use crate::scratch::Scratch;

/// Pinned: an unpinned plugin prefix resolves to whatever is newest.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";

/// Copies `artifact` (`group:name:version[:type]`) into `folder`, under its file name in the repository.
pub(crate) async fn copy(scratch: &Scratch, artifact: &str, folder: &Path) -> Result<(), Error> {
    let name = format!("maven-{}", artifact.replace(':', "-"));
    let what = format!("fetching {artifact} with Maven");
    let copied = process::run(scratch, &name, &what, Path::new("mvn"), |command| {
        command.args(["-B", "-q", COPY, "-Dmdep.stripVersion=false"]);
        command.arg(format!("-Dartifact={artifact}")).arg(format!("-DoutputDirectory={}", folder.display()));
    });
    absent(copied.await, "mvn: not found", || Error::NoMaven)
}

/// Unpacks the zip (or WAR) `archive` into `folder`; the archive is removed then.
pub(crate) async fn unpack(scratch: &Scratch, archive: &Path, folder: &Path) -> Result<(), Error> {
    let what = format!("unpacking {}", archive.display());
    let unpacked = process::run(scratch, "unzip", &what, Path::new("unzip"), |command| {
        command.arg("-qo").arg(archive).arg("-d").arg(folder);
    });
    absent(unpacked.await, "unzip: not found", || Error::NoUnzip)?;
    std::fs::remove_file(archive).in_file(archive)
}

/// The shell that becomes the program says in its log that there is none.
fn absent(result: Result<(), Error>, sign: &str, missing: impl FnOnce() -> Error) -> Result<(), Error> {
    match result {
        Err(Error::Build { last_lines, .. }) if last_lines.contains(sign) => Err(missing()),
        other => other,
    }
}
