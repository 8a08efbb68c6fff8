//! Ends what is left when testenv itself dies without a chance to clean up (`kill -9`).
//!
//! A small shell in a process group of its own reads orders from a pipe that only testenv holds open. When testenv is gone,
//! however it went, the pipe closes: the shell kills the process groups it was told to guard and removes the folder.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::guarded_child::Target;
use crate::node::CLEAR;

/// `$1` is the folder to remove, or empty. Targets are arguments of kill: a process, or a group with a minus sign. The
/// second pass at removing is for a file that a dying process wrote during the first.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
guarded=' '
folder=$1
node=
while read -r order target; do
  case $order in
    guard) guarded="$guarded$target " ;;
    release) guarded="${guarded%%" $target "*} ${guarded#*" $target "}" ;;
    keep) folder= ;;
    node) node=$target ;;
    cleared) node= ;;
  esac
done
for target in $guarded; do kill -s KILL -- "$target" 2>/dev/null; done
[ -z "$node" ] || clear_node "$node"
[ -z "$folder" ] || rm -rf -- "$folder" 2>/dev/null || { sleep 1; rm -rf -- "$folder"; }
"#;

/// The shell, and our end of its pipe.
#[derive(Debug)]
pub(crate) struct Guardian {
    orders: Mutex<Option<ChildStdin>>,
    shell: Mutex<Child>,
}

impl Guardian {
    /// Starts the shell. `folder` is removed in the end; none is kept.
    pub(crate) fn start(folder: Option<&Path>) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", &format!("clear_node() {{\n{CLEAR}}}\n{SCRIPT}"), "testenv-guardian"])
            .arg(folder.unwrap_or(Path::new("")))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { orders: Mutex::new(shell.stdin.take()), shell: Mutex::new(shell) })
    }

    /// From now on `target` does not outlive testenv.
    pub(crate) fn guard(&self, target: Target) {
        self.order("guard", &target.argument());
    }

    /// `target` has ended; its id may become another's.
    pub(crate) fn release(&self, target: Target) {
        self.order("release", &target.argument());
    }

    /// From now on the containers of the node in `folder`, and its mounts, do not outlive testenv.
    pub(crate) fn guard_node(&self, folder: &Path) {
        self.order("node", &folder.display().to_string());
    }

    /// The node's folder has been cleared.
    pub(crate) fn release_node(&self, folder: &Path) {
        self.order("cleared", &folder.display().to_string());
    }

    /// The folder stays.
    pub(crate) fn keep(&self) {
        self.order("keep", "folder");
    }

    fn order(&self, order: &str, target: &str) {
        if let Some(orders) = locked(&self.orders).as_mut() {
            // A guardian that is gone can't be told anything; the ordinary end does not need it.
            let _ = writeln!(orders, "{order} {target}");
        }
    }
}

impl Drop for Guardian {
    /// Closes the pipe and waits for the shell, so that no process and no folder is left when testenv ends.
    fn drop(&mut self) {
        locked(&self.orders).take();
        let _ = locked(&self.shell).wait();
    }
}

/// A panic elsewhere does not make the guardian useless.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rustix::process::Pid;

    use super::*;

    fn group(child: &Child) -> Target {
        Target::Group(Pid::from_child(child))
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").process_group(0).spawn().unwrap()
    }

    #[test]
    fn closing_the_pipe_kills_what_is_guarded_and_spares_what_was_released() {
        let (mut guarded, mut released, mut single) = (sleeper(), sleeper(), sleeper());
        let guardian = Guardian::start(None).unwrap();
        guardian.guard(group(&guarded));
        guardian.guard(group(&released));
        guardian.guard(Target::Process(Pid::from_child(&single)));
        guardian.release(group(&released));
        drop(guardian);
        assert!(!guarded.wait().unwrap().success());
        assert!(!single.wait().unwrap().success());
        assert_eq!(released.try_wait().unwrap(), None);
        released.kill().unwrap();
        released.wait().unwrap();
    }
}
