//! Images as files, made without an image builder and without a registry: the project's own from its Dockerfile, and the
//! small ones that a node needs.

mod archive;
mod dockerfile;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use archive::{Image, ImageFile};
use dockerfile::Dockerfile;
pub use dockerfile::DockerfileError;

use crate::error::{Error, InFile};

/// What an image is made of.
#[derive(Clone, Debug)]
pub struct ImageOrder {
    /// The Dockerfile.
    pub dockerfile: PathBuf,
    /// The folder that its `COPY` copies from.
    pub context: PathBuf,
    /// The image's name, as in `localhost/tokensource:1.0.0`.
    pub reference: String,
    /// Values for its `ARG`.
    pub arguments: BTreeMap<String, String>,
    /// Seconds since 1970: the age of everything in the image, so that the same files make the same image.
    pub timestamp: u32,
}

impl ImageOrder {
    /// Writes the image to `archive`, in the form that `docker save` writes.
    pub fn write(&self, archive: &Path) -> Result<(), Error> {
        let text = fs::read_to_string(&self.dockerfile).in_file(&self.dockerfile)?;
        let described = Dockerfile::parse(&text, &self.arguments)?;
        let mut files = Vec::new();
        for copy in &described.copies {
            let source = self.context.join(&copy.source);
            let bytes = fs::read(&source).in_file(source)?;
            files.push(ImageFile { path: copy.target.clone(), mode: copy.mode, bytes });
        }
        let image = Image {
            reference: self.reference.clone(),
            entrypoint: described.entrypoint,
            user: described.user,
            labels: described.labels,
            ports: described.ports,
            files,
            timestamp: self.timestamp,
        };
        image.write(archive)
    }
}
