//! What the binary is made of, as CycloneDX JSON (ECMA-424), from `cargo tree` and Cargo.lock. `cargo tree` resolves features as
//! a build does; tools that read `cargo metadata` also name what only tests link.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

/// What is known of the build beside its crates.
#[derive(Clone, Debug)]
pub struct BillOfMaterials {
    /// Lines of `cargo tree --prefix none --format '{p}|{l}'`; the first is the program itself.
    pub tree: String,
    /// Cargo.lock, which has the crates' checksums.
    pub lock: String,
    /// What is linked beside the crates, such as the C library, as name and version.
    pub further: Vec<(String, String)>,
    /// Seconds since 1970.
    pub timestamp: u32,
}

impl BillOfMaterials {
    /// The document.
    pub fn document(&self) -> Value {
        let checksums = checksums(&self.lock);
        let mut lines = self.tree.lines().filter_map(Crate::parse);
        let program = lines.next().map(|program| program.component("application", &checksums));
        let crates: BTreeSet<Crate<'_>> = lines.collect();
        let crates = crates.iter().map(|library| library.component("library", &checksums));
        let further = self.further.iter().map(|(name, version)| {
            let purl = format!("pkg:generic/{name}@{version}");
            json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
        });
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "timestamp": Timestamp::new(self.timestamp.into(), 0).unwrap_or_default().to_string(),
                "component": program,
            },
            "components": crates.chain(further).collect::<Vec<_>>(),
        })
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Crate<'a> {
    name: &'a str,
    version: &'a str,
    licence: String,
}

impl<'a> Crate<'a> {
    /// Of `name v1.2.3 (path)|licence (*)`; what follows the version says where it is from, or that it has been seen.
    fn parse(line: &'a str) -> Option<Self> {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // The slash is how crates said OR before SPDX expressions.
        let licence = licence.trim_end_matches(" (*)").replace('/', " OR ");
        Some(Self { name, version, licence })
    }

    fn component(&self, kind: &str, checksums: &BTreeMap<(&str, &str), &str>) -> Value {
        let purl = format!("pkg:cargo/{}@{}", self.name, self.version);
        let licences = if self.licence.is_empty() { json!([]) } else { json!([{"expression": self.licence}]) };
        let hashes = checksums.get(&(self.name, self.version)).map_or_else(|| json!([]), |sum| json!([{"alg": "SHA-256", "content": sum}]));
        json!({"type": kind, "bom-ref": purl, "name": self.name, "version": self.version, "purl": purl, "licenses": licences,
            "hashes": hashes})
    }
}

/// By name and version. Cargo writes a value a line, always in this order.
fn checksums(lock: &str) -> BTreeMap<(&str, &str), &str> {
    let mut found = BTreeMap::new();
    let (mut name, mut version) = ("", "");
    for (key, value) in lock.lines().filter_map(|line| line.split_once(" = ")) {
        let value = value.trim_matches('"');
        match key {
            "name" => name = value,
            "version" => version = value,
            "checksum" => _ = found.insert((name, version), value),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_is_named_once_with_licence_and_checksum() {
        let bill = BillOfMaterials {
            tree: "app v0.1.0 (/somewhere)|Apache-2.0\nring v0.17.14|Apache-2.0 AND ISC\nlibc v0.2.1|MIT/Apache-2.0\nring v0.17.14|Apache-2.0 AND ISC (*)\n"
                .to_owned(),
            lock: "version = 4\n\n[[package]]\nname = \"ring\"\nversion = \"0.17.14\"\nchecksum = \"a468\"\n".to_owned(),
            further: vec![("glibc".to_owned(), "2.36".to_owned())],
            timestamp: 1_000_000_000,
        };
        let document = bill.document();
        assert_eq!(document["metadata"]["component"]["purl"], "pkg:cargo/app@0.1.0");
        let components = document["components"].as_array().unwrap();
        let purls: Vec<_> = components.iter().map(|component| component["purl"].as_str().unwrap()).collect();
        assert_eq!(purls, ["pkg:cargo/libc@0.2.1", "pkg:cargo/ring@0.17.14", "pkg:generic/glibc@2.36"]);
        assert_eq!(components[0]["licenses"], json!([{"expression": "MIT OR Apache-2.0"}]));
        assert_eq!(components[1]["hashes"], json!([{"alg": "SHA-256", "content": "a468"}]));
        assert!(!document.to_string().contains("somewhere"), "a builder's folder is nobody's business");
    }
}
