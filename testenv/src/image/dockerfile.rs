//! Reads a Dockerfile that only packs: `FROM scratch`, and no `RUN`. It knows the instructions of the project's own and
//! refuses any other, so that none is passed over.

use std::collections::BTreeMap;

/// What the Dockerfile says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dockerfile {
    pub(super) copies: Vec<Copied>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) user: String,
    pub(super) ports: Vec<String>,
    pub(super) entrypoint: Vec<String>,
}

/// `COPY --chmod=mode source target`, a file each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) mode: u32,
}

/// Why a Dockerfile can't be followed here; docker, podman and buildah can do more.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DockerfileError {
    /// Another image, or none, is built upon.
    #[error("the Dockerfile does not begin with `FROM scratch`")]
    NotFromScratch,
    /// An instruction that is not known here.
    #[error("the Dockerfile has an instruction that is not known here: {0}")]
    Instruction(String),
    /// An instruction with words that are not understood here.
    #[error("the Dockerfile has a form of {0} that is not known here")]
    Form(&'static str),
    /// `${NAME}` without a value.
    #[error("the Dockerfile uses ${{{0}}}, which has no value")]
    NoValue(String),
}

impl Dockerfile {
    /// Reads the text; `arguments` are the values of its `ARG`.
    pub(super) fn parse(text: &str, arguments: &BTreeMap<String, String>) -> Result<Self, DockerfileError> {
        let instructions = instructions(text);
        let mut instructions = instructions.iter().map(|line| line.split_once(' ').unwrap_or((line, "")));
        if instructions.next() != Some(("FROM", "scratch")) {
            return Err(DockerfileError::NotFromScratch);
        }
        let mut read = Self::default();
        for (instruction, rest) in instructions {
            read.follow(instruction, &substitute(rest, arguments)?)?;
        }
        Ok(read)
    }

    fn follow(&mut self, instruction: &str, rest: &str) -> Result<(), DockerfileError> {
        match instruction {
            "ARG" => {}
            "USER" => rest.clone_into(&mut self.user),
            "EXPOSE" => self.ports.push(rest.to_owned()),
            "ENTRYPOINT" => self.entrypoint = serde_json::from_str(rest).map_err(|_| DockerfileError::Form("ENTRYPOINT"))?,
            "COPY" => self.copies.push(copied(rest).ok_or(DockerfileError::Form("COPY"))?),
            "LABEL" => self.labels.extend(labels(rest).ok_or(DockerfileError::Form("LABEL"))?),
            other => return Err(DockerfileError::Instruction(other.to_owned())),
        }
        Ok(())
    }
}

/// The lines without comments, those that a backslash continues joined.
fn instructions(text: &str) -> Vec<String> {
    let mut joined = Vec::new();
    let mut unfinished = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(begun) = line.strip_suffix('\\') {
            unfinished.push_str(begun);
        } else {
            joined.push(std::mem::take(&mut unfinished) + line);
        }
    }
    joined
}

fn substitute(text: &str, arguments: &BTreeMap<String, String>) -> Result<String, DockerfileError> {
    let mut parts = text.split("${");
    let mut substituted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        substituted.push_str(arguments.get(name).ok_or_else(|| DockerfileError::NoValue(name.to_owned()))?);
        substituted.push_str(rest);
    }
    Ok(substituted)
}

fn copied(rest: &str) -> Option<Copied> {
    let mut words = rest.split_whitespace();
    let mode = u32::from_str_radix(words.next()?.strip_prefix("--chmod=")?, 8).ok()?;
    let (source, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let is_file = target.starts_with('/') && !target.ends_with('/');
    (is_file && words.next().is_none()).then_some(Copied { source, target, mode })
}

/// `key="value"`, any number of them.
fn labels(mut rest: &str) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    while !rest.trim().is_empty() {
        let (key, quoted) = rest.split_once("=\"")?;
        let (value, after) = quoted.split_once('"')?;
        labels.push((key.trim().to_owned(), value.to_owned()));
        rest = after;
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Dockerfile, DockerfileError> {
        Dockerfile::parse(text, &BTreeMap::from([("VERSION".to_owned(), "1.2.3".to_owned()), ("REVISION".to_owned(), "abc".to_owned())]))
    }

    #[test]
    fn the_projects_own_dockerfile_is_understood() {
        let read = parse(include_str!("../../../Dockerfile")).unwrap();
        assert_eq!(read.user, "65532:65532");
        assert_eq!(read.entrypoint, ["/tokensource"]);
        assert_eq!(read.labels["org.opencontainers.image.version"], "1.2.3");
        assert!(read.labels.keys().all(|key| key.starts_with("org.opencontainers.image.")), "{:?}", read.labels.keys());
        assert!(read.copies.contains(&Copied { source: "tokensource".to_owned(), target: "/tokensource".to_owned(), mode: 0o755 }));
    }

    #[test]
    fn lines_are_joined_and_labels_keep_their_blanks() {
        let read = parse("# why\nFROM scratch\nLABEL a=\"b c\" \\\n  d=\"e=${VERSION}\"\n").unwrap();
        assert_eq!(read.labels, BTreeMap::from([("a".to_owned(), "b c".to_owned()), ("d".to_owned(), "e=1.2.3".to_owned())]));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(parse("FROM debian\n"), Err(DockerfileError::NotFromScratch));
        assert_eq!(parse("FROM scratch\nRUN true\n"), Err(DockerfileError::Instruction("RUN".to_owned())));
        assert_eq!(parse("FROM scratch\nCOPY a /b\n"), Err(DockerfileError::Form("COPY")));
        assert_eq!(parse("FROM scratch\nCOPY --chmod=0755 a /b/\n"), Err(DockerfileError::Form("COPY")));
        assert_eq!(parse("FROM scratch\nUSER ${WHO}\n"), Err(DockerfileError::NoValue("WHO".to_owned())));
    }
}
