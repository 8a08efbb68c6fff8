//! The temporary folder of one run: logs, configurations, keys, etcd's data.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use crate::error::{Error, InFile};
use crate::guardian::Guardian;

/// The temporary folder of one run, and the guardian that removes it with the processes whose files it holds. Removed when
/// the last clone is dropped, unless `TESTENV_KEEP=1` or a start failed.
#[derive(Clone, Debug)]
pub struct Scratch {
    path: PathBuf,
    guardian: Arc<Guardian>,
}

impl Scratch {
    /// Makes the folder, readable for its owner only: it holds private keys.
    pub fn create() -> Result<Self, Error> {
        let path = make_folder(&env::temp_dir())?;
        let removed = if is_kept() { None } else { Some(path.as_path()) };
        let guardian = Guardian::start(removed).map_err(|source| Error::Spawn { program: "sh".to_owned(), source })?;
        Ok(Self { path, guardian: Arc::new(guardian) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// True if `TESTENV_KEEP` asks to keep it for a look at the logs.
    pub fn is_kept(&self) -> bool {
        is_kept()
    }

    /// Keeps the folder after the end if `error` names a log in it.
    pub fn keep_for(&self, error: &Error) {
        if error.names_log() {
            self.guardian.keep();
        }
    }

    /// A new, empty folder in it; one of an earlier try is removed first.
    pub(crate) fn fresh_folder(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.path.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).in_file(&folder)?;
        }
        fs::create_dir_all(&folder).in_file(&folder)?;
        Ok(folder)
    }

    pub(crate) fn guardian(&self) -> &Arc<Guardian> {
        &self.guardian
    }
}

fn is_kept() -> bool {
    env::var_os("TESTENV_KEEP").is_some_and(|value| value == "1")
}

/// Makes a folder under a free name. Whether a name is free is seen by making it: others look for one at the same time.
fn make_folder(parent: &Path) -> Result<PathBuf, Error> {
    let id = process::id();
    let mut number = 0_u32;
    loop {
        let path = parent.join(format!("testenv-{id}-{number}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| path.clone()).in_file(&path),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn those_who_ask_at_the_same_time_get_a_folder_each() {
        let parent = make_folder(&env::temp_dir()).unwrap();
        let made: HashSet<PathBuf> = thread::scope(|scope| {
            let asked: Vec<_> = (0..32).map(|_| scope.spawn(|| make_folder(&parent).unwrap())).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        fs::remove_dir_all(&parent).unwrap();
        assert_eq!(made.len(), 32);
    }
}
