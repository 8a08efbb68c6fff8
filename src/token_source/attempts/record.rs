//! What of the ledger outlives a process, as a line of text each. Keyed hashes, times and reasons: no credential.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::oauth::rejection::{ClientCause, Rejection};
use crate::token_source::digest::Digest;

/// Credentials that were refused, or sent by a process that has left no word of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub credentials: Digest,
    /// When.
    pub time: Timestamp,
    /// What refused them; none where the answer is not known.
    pub rejection: Option<Rejection>,
}

/// The word for an answer that is not known.
const SENT: &str = "sent";

/// `DIGEST MILLISECONDS REASON`, with `/CAUSE` behind the reason where there is one.
impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ", self.credentials, self.time.as_millisecond())?;
        match self.rejection {
            None => formatter.write_str(SENT),
            Some(rejection) => word(rejection).fmt(formatter),
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
        let rejection = match said {
            SENT => None,
            // A word of a later version still is a refusal.
            said => Some(Rejection::ALL.iter().copied().find(|known| word(*known) == said).unwrap_or(Rejection::CredentialsRejected)),
        };
        let time = time.parse().ok().and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok()).ok_or(())?;
        Ok(Self { credentials: Digest::parse(credentials).ok_or(())?, time, rejection })
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
        for rejection in Rejection::ALL.iter().copied().map(Some).chain([None]) {
            let record = Record { credentials: credentials.clone(), time, rejection };
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
        assert_eq!(later.rejection, Some(Rejection::CredentialsRejected));
    }
}
