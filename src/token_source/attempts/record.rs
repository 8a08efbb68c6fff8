//! What of the ledger outlives a process, as a line of text each. Keyed hashes, times and reasons: no credential.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::oauth::rejection::{ClientCause, Rejection};
use crate::token_source::digest::Digest;

/// Credentials that were refused, or may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub credentials: Digest,
    /// When.
    pub time: Timestamp,
    /// What became of them.
    pub fate: Fate,
}

/// What became of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They were refused.
    Refused(Rejection),
    /// They were sent, and the process has left no word of the answer.
    Sent,
    /// A process before the one that wrote this may have sent them unrecorded.
    Suspected,
}

impl Fate {
    /// What refused them, if that is known.
    pub fn rejection(self) -> Option<Rejection> {
        match self {
            Self::Refused(rejection) => Some(rejection),
            Self::Sent | Self::Suspected => None,
        }
    }
}

const SENT: &str = "sent";
const SUSPECTED: &str = "suspected";

/// `DIGEST MILLISECONDS REASON`, with `/CAUSE` behind the reason where there is one.
impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ", self.credentials, self.time.as_millisecond())?;
        match self.fate {
            Fate::Sent => formatter.write_str(SENT),
            Fate::Suspected => formatter.write_str(SUSPECTED),
            Fate::Refused(rejection) => word(rejection).fmt(formatter),
        }
    }
}

impl FromStr for Record {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let mut words = line.split(' ');
        let (Some(credentials), Some(time), Some(said), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(());
        };
        let fate = match said {
            SENT => Fate::Sent,
            SUSPECTED => Fate::Suspected,
            // A word of a later version still is a refusal.
            said => {
                let known = Rejection::ALL.iter().copied().find(|known| word(*known) == said);
                Fate::Refused(known.unwrap_or(Rejection::CredentialsRejected))
            }
        };
        let time = time.parse().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()).ok_or(())?;
        Ok(Self { credentials: Digest::parse(credentials).ok_or(())?, time, fate })
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
        for fate in Rejection::ALL.iter().copied().map(Fate::Refused).chain([Fate::Sent, Fate::Suspected]) {
            let record = Record { credentials: credentials.clone(), time, fate };
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
        assert_eq!(later.fate, Fate::Refused(Rejection::CredentialsRejected));
    }
}
