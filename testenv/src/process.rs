//! Child processes: a process group and a log file each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::error::{Error, InFile};
use crate::guarded_child::GuardedChild;
use crate::scratch::Scratch;

const LAST_LINES: usize = 15;

/// Waits until the guardian knows the process group, and only then becomes the program: no moment in which a `kill -9` of
/// testenv would leave it behind.
const GATE: &str = r#"read -r go && exec "$@" </dev/null"#;

/// A running child; killed with its whole process group when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: GuardedChild,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, named `name` in errors, with its output in `<name>.log` of the scratch folder. `set_up` adds
    /// arguments, environment and working directory.
    pub(crate) async fn spawn(scratch: &Scratch, name: &str, program: &Path, set_up: impl FnOnce(&mut Command)) -> Result<Self, Error> {
        let log = scratch.path().join(format!("{name}.log"));
        let output = File::create(&log).in_file(&log)?;
        let mut command = Command::new("sh");
        command.args(["-c", GATE, name]).arg(program).stdin(Stdio::piped()).process_group(0);
        command.stdout(output.try_clone().in_file(&log)?).stderr(output);
        set_up(&mut command);
        let spawned = Self::guarded(scratch, &mut command).await;
        let child = spawned.map_err(|source| Error::Spawn { program: program.display().to_string(), source })?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    async fn guarded(scratch: &Scratch, command: &mut Command) -> std::io::Result<GuardedChild> {
        let mut child = GuardedChild::new(command.spawn()?, true, scratch.guardian())?;
        if let Some(mut gate) = child.child().stdin.take() {
            gate.write_all(b"go\n").await?;
        }
        Ok(child)
    }

    /// The name it was given.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where its output goes.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of its output.
    pub(crate) fn last_lines(&self) -> String {
        last_lines(&String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()))
    }

    /// Fails if it has ended already.
    pub(crate) fn check_running(&mut self) -> Result<(), Error> {
        if self.child.has_ended() {
            return Err(Error::Ended { process: self.name.clone(), log: self.log.clone(), last_lines: self.last_lines() });
        }
        Ok(())
    }

    /// Waits until it ends by itself.
    pub(crate) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends its group: TERM, and KILL if something of it is left after 5 s.
    pub(crate) async fn end(self) {
        self.child.end().await;
    }
}

/// Runs a program to its end; `what` names it in the error if it fails.
pub(crate) async fn run(scratch: &Scratch, name: &str, what: &str, program: &Path, set_up: impl FnOnce(&mut Command)) -> Result<(), Error> {
    let mut process = Process::spawn(scratch, name, program, set_up).await?;
    match process.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(Error::Build { what: what.to_owned(), log: process.log().to_owned(), last_lines: process.last_lines() }),
    }
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let skipped = lines.len().saturating_sub(LAST_LINES);
    lines.into_iter().skip(skipped).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_last_lines_of_a_log_are_shown() {
        let log: String = (1..=20).map(|n| n.to_string() + "\n").collect();
        let shown = last_lines(&log);
        assert!(shown.starts_with("    6\n") && shown.ends_with("    20"));
    }

    #[tokio::test]
    async fn a_program_that_ignores_term_is_killed_with_its_children() {
        let scratch = Scratch::create().unwrap();
        let script = "trap '' TERM; (while :; do echo alive; sleep 0.02; done) & wait";
        let process = Process::spawn(&scratch, "stubborn", Path::new("sh"), |c| {
            c.args(["-c", script]);
        })
        .await
        .unwrap();
        let log = process.log().to_owned();
        while !process.last_lines().contains("alive") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(process);
        let length = fs::metadata(&log).unwrap().len();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(fs::metadata(&log).unwrap().len(), length, "the child still writes");
    }

    #[tokio::test]
    async fn a_failing_program_is_reported_with_the_end_of_its_log() {
        let scratch = Scratch::create().unwrap();
        let failure = run(&scratch, "build", "building it", Path::new("sh"), |c| {
            c.args(["-c", "echo no such module; exit 3"]);
        })
        .await
        .unwrap_err();
        let message = failure.to_string();
        assert!(message.starts_with("building it failed") && message.ends_with("no such module"), "{message}");
    }
}
