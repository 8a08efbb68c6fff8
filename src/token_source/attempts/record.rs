//! What of the ledger outlives a process, as a line of text each. Keyed hashes, times and reasons: no credential.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::entry::{is_recent, judged_by};
use crate::oauth::rejection::{ClientCause, Rejection};
use crate::token_source::digest::Digest;

/// What is known of credentials that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub credentials: Digest,
    /// When.
    pub time: Timestamp,
    /// What became of them.
    pub said: Said,
}

/// What became of credentials that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// They were refused.
    Refused(Rejection),
    /// Its process has left no word of the answer.
    Sent,
    /// Another process has left no word of the answer, but a token that they brought later shows that it was no refusal.
    Proved,
}

impl Record {
    /// Whether it still says something.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        match self.said {
            Said::Refused(_) => is_recent(self.time, now),
            Said::Sent | Said::Proved => is_recent(judged_by(self.time), now),
        }
    }
}

/// The word for an answer that is not known.
const SENT: &str = "sent";
/// What stands behind that word where a token has shown it. Versions that don't know it pass over the line.
const PROVED: &str = "proved";

/// `DIGEST MILLISECONDS REASON`, with `/CAUSE` behind the reason where there is one.
impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ", self.credentials, self.time.as_millisecond())?;
        match self.said {
            Said::Sent => formatter.write_str(SENT),
            Said::Proved => write!(formatter, "{SENT} {PROVED}"),
            Said::Refused(rejection) => word(rejection).fmt(formatter),
        }
    }
}

impl FromStr for Record {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let mut words = line.split(' ');
        let (Some(credentials), Some(time), Some(said), more, None) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            return Err(());
        };
        let said = match (said, more) {
            (SENT, None) => Said::Sent,
            (SENT, Some(PROVED)) => Said::Proved,
            // A word of a later version still is a refusal.
            (said, None) => {
                Said::Refused(Rejection::ALL.iter().copied().find(|known| word(*known) == said).unwrap_or(Rejection::CredentialsRejected))
            }
            (_, Some(_)) => return Err(()),
        };
        let time = time.parse().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()).ok_or(())?;
        Ok(Self { credentials: Digest::parse(credentials).ok_or(())?, time, said })
    }
}

fn word(rejection: Rejection) -> String {
    match rejection.cause().map(ClientCause::as_str) {
        Some(cause) => format!("{rejection}/{cause}"),
        None => rejection.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let credentials = Digest::parse(&"a".repeat(32)).unwrap();
        let time = Timestamp::from_millisecond(1_767_225_600_123).unwrap();
        for said in Rejection::ALL.iter().copied().map(Said::Refused).chain([Said::Sent, Said::Proved]) {
            let record = Record { credentials: credentials.clone(), time, said };
            assert_eq!(record.to_string().parse(), Ok(record));
        }
    }

    #[test]
    fn what_is_no_record_is_none_and_an_unknown_reason_is_a_refusal() {
        let digest = "a".repeat(32);
        for line in ["", "a b c", &format!("{digest} 1"), &format!("{digest} x sent"), &format!("{digest} 1 sent more")] {
            assert_eq!(line.parse::<Record>(), Err(()), "{line}");
        }
        let later: Record = format!("{digest} 1 SomethingNew").parse().unwrap();
        assert_eq!(later.said, Said::Refused(Rejection::CredentialsRejected));
    }
}
