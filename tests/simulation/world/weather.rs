//! What is wrong with the world just now.

use std::time::Duration;

use http::Response;

use super::authorization_server::unwell;
use crate::oauth::response::ResponseBody;
use crate::random::Random;

/// How the API server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// As it should.
    Fine,
    /// Not at all.
    Down,
    /// Some requests fail, before or after they took effect.
    Flaky,
    /// It takes seconds.
    Slow,
    /// It refuses most with 429.
    Throttling,
}

/// How an authorization server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// As it should.
    Fine,
    /// Nobody listens.
    Refusing,
    /// It takes the connection and says nothing.
    Silent,
    /// With a status that says nothing about the request; and `Retry-After`.
    Unwell(u16, Option<u64>),
}

/// How watches work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watches {
    /// Within a tenth of a second.
    Fine,
    /// Up to 25 seconds late.
    Late,
    /// Not at all; a list follows.
    Lost,
}

/// All of it.
#[derive(Debug)]
pub struct Weather {
    /// The API server.
    pub api: Api,
    /// The authorization servers.
    pub endpoints: [Endpoint; 2],
    /// The watches.
    pub watches: Watches,
    /// How often the watches began anew with a list.
    pub gaps: u64,
    /// In so many of a thousand effects the process is killed.
    pub kills: u64,
    /// In so many of a thousand effects of a leader it is frozen.
    pub freezes: u64,
    /// In so many of a thousand token requests something goes wrong in good weather.
    pub request_faults: u64,
    /// In so many of a thousand requests to the API server something goes wrong in good weather.
    pub api_faults: u64,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives; the connection breaks.
    ResetBefore,
    /// It takes effect; the connection breaks.
    ResetAfter,
    /// It takes effect; the answer comes too late.
    SilentAfter,
    /// It arrives late.
    Late,
    /// It is refused with this status.
    Refused(u16),
    /// It takes effect, and is answered with this status.
    FailedAfter(u16),
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            api: Api::Fine,
            endpoints: [Endpoint::Fine; 2],
            watches: Watches::Fine,
            gaps: 0,
            kills: 0,
            freezes: 0,
            request_faults: 0,
            api_faults: 0,
        }
    }
}

impl Weather {
    /// Whether watches deliver nothing.
    pub fn cuts_watches(&self) -> bool {
        self.api == Api::Down || self.watches == Watches::Lost
    }

    /// Whether API server and watches work.
    pub fn is_fine_here(&self) -> bool {
        self.api == Api::Fine && self.watches == Watches::Fine
    }

    /// What goes wrong with a request to the API server.
    pub fn api_fault(&self, random: &mut Random) -> Option<Fault> {
        let flaky = [
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::SilentAfter,
            Fault::Refused(409),
            Fault::Refused(429),
            Fault::Refused(500),
            Fault::Refused(503),
            Fault::Refused(403),
            Fault::FailedAfter(500),
            Fault::FailedAfter(503),
            Fault::FailedAfter(409),
        ];
        match self.api {
            Api::Down => Some(Fault::ResetBefore),
            Api::Flaky if random.per_mille(250) => Some(random.pick(&flaky)),
            Api::Throttling if random.per_mille(800) => Some(Fault::Refused(429)),
            Api::Slow => Some(Fault::Late),
            Api::Fine if random.per_mille(self.api_faults) => Some(random.pick(&flaky)),
            Api::Fine | Api::Flaky | Api::Throttling => None,
        }
    }

    /// What goes wrong with a token request.
    pub fn request_fault(&self, random: &mut Random) -> Option<Fault> {
        let faults = [
            Fault::ResetBefore,
            Fault::ResetAfter,
            Fault::SilentAfter,
            Fault::Late,
            Fault::Refused(500),
            Fault::Refused(503),
            Fault::Refused(429),
            Fault::FailedAfter(500),
        ];
        random.per_mille(self.request_faults).then(|| random.pick(&faults))
    }
}

impl Endpoint {
    /// What is answered in bad weather.
    pub fn answer(self) -> Option<Response<ResponseBody>> {
        match self {
            Self::Unwell(status, retry_after) => Some(unwell(status, retry_after)),
            Self::Fine | Self::Refusing | Self::Silent => None,
        }
    }
}

/// How long a token request may take in all: `connectTimeout` and `readTimeout` of the spec.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(20);
