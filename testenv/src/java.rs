//! The Java runtime that Keycloak and the UAA need.

use std::env;
use std::path::PathBuf;

use tokio::process::Command;

use crate::error::Error;

const OLDEST: u32 = 17;

/// The `java` to use: of `JAVA_HOME`, else of `PATH`; 17 or newer.
pub(crate) async fn find() -> Result<PathBuf, Error> {
    let program = env::var_os("JAVA_HOME").map_or_else(|| PathBuf::from("java"), |home| PathBuf::from(home).join("bin/java"));
    let Ok(output) = Command::new(&program).arg("-version").output().await else {
        return Err(Error::NoJava { found: format!("{} can't be run", program.display()) });
    };
    let answer = String::from_utf8_lossy(&output.stderr);
    match major_version(&answer) {
        Some(version) if version >= OLDEST => Ok(program),
        Some(_) | None => Err(Error::NoJava { found: answer.lines().next().unwrap_or_default().to_owned() }),
    }
}

/// Of `openjdk version "17.0.15" 2025-04-15`; before Java 9 it was `"1.8.0_292"`.
fn major_version(answer: &str) -> Option<u32> {
    let quoted = answer.split('"').nth(1)?;
    quoted.split(['.', '-', '+']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(major_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK"), Some(17));
        assert_eq!(major_version("java version \"1.8.0_292\""), Some(1));
        assert_eq!(major_version("openjdk version \"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(major_version("command not found"), None);
    }
}
