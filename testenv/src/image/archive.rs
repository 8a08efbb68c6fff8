//! An image of one layer as a tar of layer, configuration and manifest: the form of `docker save`, which docker, podman and
//! containerd read.

use std::collections::{BTreeMap, BTreeSet};
use std::env::consts::ARCH;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::error::{Error, InFile};

/// An image with a single layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    /// Its name with its tag.
    pub(crate) reference: String,
    /// The program with its first arguments.
    pub(crate) entrypoint: Vec<String>,
    /// `uid:gid`; empty for root.
    pub(crate) user: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// Ports that it listens on, such as `8080`.
    pub(crate) ports: Vec<String>,
    pub(crate) files: Vec<ImageFile>,
    /// Seconds since 1970, of every file and of the image.
    pub(crate) timestamp: u32,
}

/// A file in an image; it belongs to root.
#[derive(Clone, Debug)]
pub(crate) struct ImageFile {
    /// Absolute.
    pub(crate) path: String,
    pub(crate) mode: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Image {
    /// Writes the archive.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let layer = self.layer().in_file(path)?;
        let configuration = serde_json::to_vec(&self.configuration(&layer))?;
        let (layer_name, configuration_name) = (format!("{}.tar", hash(&layer)), format!("{}.json", hash(&configuration)));
        let manifest = json!([{"Config": configuration_name, "RepoTags": [self.reference], "Layers": [layer_name]}]);
        let manifest = serde_json::to_vec(&manifest)?;
        let mut archive = Builder::new(File::create(path).in_file(path)?);
        for (name, bytes) in [(layer_name.as_str(), &layer), (&configuration_name, &configuration), ("manifest.json", &manifest)] {
            append(&mut archive, name, 0o644, bytes, self.timestamp).in_file(path)?;
        }
        archive.into_inner().and_then(|mut file| file.flush()).in_file(path)
    }

    /// Folders first, then the files in their order.
    fn layer(&self) -> io::Result<Vec<u8>> {
        let mut layer = Builder::new(Vec::new());
        let folders: BTreeSet<&Path> = self.files.iter().flat_map(|file| Path::new(&file.path).ancestors().skip(1)).collect();
        for folder in folders.into_iter().filter(|folder| folder.parent().is_some()) {
            let mut header = header(EntryType::Directory, 0o755, 0, self.timestamp);
            layer.append_data(&mut header, format!("{}/", relative(&folder.to_string_lossy())), io::empty())?;
        }
        for file in &self.files {
            append(&mut layer, relative(&file.path), file.mode, &file.bytes, self.timestamp)?;
        }
        layer.into_inner()
    }

    fn configuration(&self, layer: &[u8]) -> Value {
        let ports: BTreeMap<String, Value> = self.ports.iter().map(|port| (format!("{port}/tcp"), json!({}))).collect();
        json!({
            "architecture": architecture(),
            "os": "linux",
            "created": Timestamp::new(self.timestamp.into(), 0).unwrap_or_default().to_string(),
            "config": {
                "Entrypoint": self.entrypoint, "User": self.user, "Labels": self.labels, "ExposedPorts": ports, "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", hash(layer))]},
        })
    }
}

/// Go's name for what this program was compiled for, which images use.
fn architecture() -> &'static str {
    match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn hash(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn header(kind: EntryType, mode: u32, size: u64, timestamp: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(timestamp.into());
    header.set_size(size);
    header
}

fn append(archive: &mut Builder<impl Write>, name: &str, mode: u32, bytes: &[u8], timestamp: u32) -> io::Result<()> {
    let mut header = header(EntryType::Regular, mode, bytes.len() as u64, timestamp);
    archive.append_data(&mut header, name, bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use tar::Archive;

    use super::*;

    fn image() -> Image {
        let file = |path: &str, mode, bytes: &[u8]| ImageFile { path: path.to_owned(), mode, bytes: bytes.to_vec() };
        Image {
            reference: "localhost/probe:1".to_owned(),
            entrypoint: vec!["/probe".to_owned()],
            user: "65532:65532".to_owned(),
            files: vec![file("/etc/ssl/certs/ca.crt", 0o644, b"ca"), file("/probe", 0o755, b"elf")],
            timestamp: 1_000_000_000,
            ..Image::default()
        }
    }

    fn entries(bytes: &[u8]) -> Vec<(String, u32, u64, Vec<u8>)> {
        let mut archive = Archive::new(bytes);
        let read = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let header = entry.header();
            (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.mtime().unwrap(), content)
        });
        read.collect()
    }

    #[test]
    fn the_layer_holds_folders_before_files_all_of_the_same_age() {
        let entries = entries(&image().layer().unwrap());
        let names: Vec<_> = entries.iter().map(|(name, mode, ..)| format!("{name} {mode:o}")).collect();
        assert_eq!(names, ["etc/ 755", "etc/ssl/ 755", "etc/ssl/certs/ 755", "etc/ssl/certs/ca.crt 644", "probe 755"]);
        assert!(entries.iter().all(|(_, _, age, _)| *age == 1_000_000_000));
    }

    #[test]
    fn the_manifest_leads_to_the_configuration_and_that_to_the_layer() {
        let file = tempfile_path();
        image().write(&file).unwrap();
        let entries = entries(&std::fs::read(&file).unwrap());
        std::fs::remove_file(&file).unwrap();
        let content = |wanted: &str| entries.iter().find(|(name, ..)| name == wanted).map(|(.., bytes)| bytes.clone()).unwrap();
        let manifest: Value = serde_json::from_slice(&content("manifest.json")).unwrap();
        assert_eq!(manifest[0]["RepoTags"], json!(["localhost/probe:1"]));
        let configuration: Value = serde_json::from_slice(&content(manifest[0]["Config"].as_str().unwrap())).unwrap();
        let layer = hash(&content(manifest[0]["Layers"][0].as_str().unwrap()));
        assert_eq!(configuration["rootfs"]["diff_ids"], json!([format!("sha256:{layer}")]));
        assert_eq!(configuration["created"], "2001-09-09T01:46:40Z");
        assert_eq!(configuration["config"]["Entrypoint"], json!(["/probe"]));
    }

    fn tempfile_path() -> std::path::PathBuf {
        std::env::temp_dir().join(format!("testenv-image-{}.tar", std::process::id()))
    }
}
