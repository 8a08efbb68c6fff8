//! What is built or fetched once and kept: `$TOKENSOURCE_TESTENV_CACHE`, else `$XDG_CACHE_HOME/tokensource-testenv`, else
//! `~/.cache/tokensource-testenv`.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, InFile};
use crate::progress::Progress;

/// The cache folder. What lies in it under its final name is complete.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Finds and makes the folder.
    pub(crate) fn open() -> Result<Self, Error> {
        let root = root(|name| env::var_os(name).filter(|value| !value.is_empty())).ok_or(Error::NoCacheFolder)?;
        fs::create_dir_all(&root).in_file(&root)?;
        // Absolute, because children with other working directories get paths in it.
        let root = fs::canonicalize(&root).in_file(&root)?;
        Ok(Self { root })
    }

    /// Where `item` lies, or will lie.
    pub(crate) fn path(&self, item: &str) -> PathBuf {
        self.root.join(item)
    }

    /// Gives `item`, made by `make` if it is not there yet. `make` writes to the path it gets, which becomes `item` when it is
    /// complete; two runs at once make it once.
    pub(crate) async fn item<F>(&self, item: &str, progress: &Progress, make: impl FnOnce(PathBuf) -> F) -> Result<PathBuf, Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let complete = self.path(item);
        if complete.exists() {
            return Ok(complete);
        }
        let _lock = self.lock(item, progress).await?;
        if complete.exists() {
            return Ok(complete);
        }
        let partial = self.partial(item)?;
        make(partial.clone()).await?;
        fs::rename(&partial, &complete).in_file(&complete)?;
        Ok(complete)
    }

    /// A name on the same file system, so that the rename is atomic; what an interrupted run left there is removed.
    fn partial(&self, item: &str) -> Result<PathBuf, Error> {
        let path = self.path(&format!("{item}.partial"));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).in_file(folder)?;
        }
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).in_file(path),
            Ok(()) | Err(_) => Ok(path),
        }
    }

    /// The lock belongs to the open file: it goes with the process, however that ends.
    async fn lock(&self, item: &str, progress: &Progress) -> Result<File, Error> {
        let path = self.path(&format!(".{}.lock", item.replace('/', "-")));
        let file = File::options().create(true).append(true).open(&path).in_file(&path)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error).in_file(path),
                Err(TryLockError::WouldBlock) if told => {}
                Err(TryLockError::WouldBlock) => {
                    progress.say("cache", &format!("another run is making {item}: waiting for it"));
                    told = true;
                }
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn root(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let own = variable("TOKENSOURCE_TESTENV_CACHE").map(PathBuf::from);
    let xdg = || variable("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("tokensource-testenv"));
    let home = || variable("HOME").map(|home| Path::new(&home).join(".cache/tokensource-testenv"));
    own.or_else(xdg).or_else(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_variable_comes_first_then_xdg_then_home() {
        let with =
            |set: &'static [(&str, &str)]| root(move |name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value)));
        let all = &[("TOKENSOURCE_TESTENV_CACHE", "own"), ("XDG_CACHE_HOME", "xdg"), ("HOME", "home")];
        assert_eq!(with(all), Some(PathBuf::from("own")));
        assert_eq!(with(&[("XDG_CACHE_HOME", "xdg"), ("HOME", "home")]), Some(PathBuf::from("xdg/tokensource-testenv")));
        assert_eq!(with(&[("HOME", "home")]), Some(PathBuf::from("home/.cache/tokensource-testenv")));
        assert_eq!(with(&[]), None);
    }
}
