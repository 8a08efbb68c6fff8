//! The temporary folder of one run: logs, configurations, keys, etcd's data.

use std::env;
use std::fs::{self, DirBuilder};
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
        let path = free_name(&env::temp_dir());
        DirBuilder::new().mode(0o700).create(&path).in_file(&path)?;
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

fn free_name(parent: &Path) -> PathBuf {
    let id = process::id();
    let mut numbers = 0_u32..;
    loop {
        let name = parent.join(format!("testenv-{id}-{}", numbers.next().unwrap_or_default()));
        if !name.exists() {
            return name;
        }
    }
}
