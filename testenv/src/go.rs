//! Programs built from pinned Go modules.

use std::path::Path;

use crate::error::Error;
use crate::process;
use crate::progress::Progress;
use crate::scratch::Scratch;

/// A program, and the Go package it is built from.
pub(crate) struct Build<'a> {
    /// The part of the world that wants it, as progress names it.
    pub(crate) part: &'static str,
    /// What it is called in progress, errors and logs.
    pub(crate) name: &'a str,
    /// Its version.
    pub(crate) version: &'a str,
    /// The folder with the `go.mod` that pins it.
    pub(crate) module: &'a str,
    /// The Go package.
    pub(crate) package: &'a str,
    /// Flags of the linker, which put the version in.
    pub(crate) linker_flags: &'a str,
    /// How long it takes.
    pub(crate) takes: &'static str,
}

impl Build<'_> {
    /// Builds it to `target`.
    pub(crate) async fn run(&self, target: &Path, scratch: &Scratch, progress: &Progress) -> Result<(), Error> {
        let what = format!("building {} {} from Go modules ({}, once)", self.name, self.version, self.takes);
        let log = format!("build-{}", self.name);
        let work = process::run(scratch, &log, &what, Path::new("go"), |command| {
            command.args(["build", "-mod=readonly", "-trimpath", "-ldflags", self.linker_flags, "-o"]).arg(target).arg(self.package);
            command.current_dir(self.module).env("CGO_ENABLED", "0");
        });
        match progress.long(self.part, &what, work).await {
            Err(Error::Build { last_lines, .. }) if last_lines.contains("go: not found") => Err(Error::NoGo),
            other => other,
        }
    }
}
