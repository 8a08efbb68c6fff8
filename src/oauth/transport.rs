//! Why no answer came: DNS, connection, TLS. Told from the text of the error chain, since reqwest and hyper keep their error
//! types to themselves; an unknown text is never more than [`TransportFault::Other`].

use super::rejection::{ClientCause, Rejection};

/// What went wrong before a response was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportFault {
    /// The host name could not be resolved (getaddrinfo).
    Dns,
    /// Connecting or reading took too long.
    Timeout,
    /// Nobody listens at the address.
    Refused,
    /// No route to the address, or the network is down.
    Unreachable,
    /// The connection broke before the answer was complete.
    Reset,
    /// The server's certificate was refused by us.
    ServerCertificate(ServerCertificateFault),
    /// The server refused our certificate, or missed one: a TLS alert of RFC 8446 §6.2.
    ClientCertificateRefused,
    /// The server broke off the handshake with `handshake_failure`: it demands a client certificate, or nothing else is common.
    HandshakeRefused,
    /// Another TLS fault: protocol version, plain HTTP on a TLS port.
    Tls,
    /// A forward proxy demands credentials for the tunnel (407 to CONNECT).
    ProxyAuthenticationRequired,
    /// A forward proxy refused or failed to open the tunnel.
    ProxyTunnel,
    /// What answered does not speak HTTP.
    Protocol,
    /// A text that we do not know.
    Other,
}

/// Why we do not trust the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerCertificateFault {
    /// Past its `notAfter`, or not yet valid.
    Expired,
    /// Issued for another host name.
    NameMismatch,
    /// Issued by an authority that is not among the trusted ones.
    Untrusted,
    /// Revoked, malformed, or of a kind that can't serve here.
    Other,
}

/// getaddrinfo's and resolvers' words for a name that is not there.
const DNS: &[&str] = &[
    "dns error",
    "failed to lookup address",
    "name or service not known",
    "nodename nor servname",
    "no such host",
    "temporary failure in name resolution",
    "name does not resolve",
    "no record found",
    "nxdomain",
];

/// rustls' own words for a handshake that came to nothing.
const TLS: &[&str] = &[
    "received corrupt message",
    "received unexpected message",
    "received unexpected handshake message",
    "peer is incompatible",
    "peer misbehaved",
    "peer sent no certificates",
    "peer doesn't support any known protocol",
    "peer sent excess record size",
    "cannot decrypt peer's message",
    "handshake not complete",
    "tls handshake eof",
    "invalid dnsname",
    "unexpected error: no server certificate",
];

/// hyper's and the system's words for a connection that broke.
const RESET: &[&str] = &[
    "connection reset",
    "reset by peer",
    "connection closed before message completed",
    "broken pipe",
    "unexpected end of file",
    "unexpected eof",
    "connection aborted",
    "error reading a body",
    "end of file before message length",
    "peer closed connection without sending tls close_notify",
    "sendrequest",
    "connection error",
    "goaway",
    "http2 error",
];

/// hyper's words for an answer that is not HTTP.
const PROTOCOL: &[&str] = &[
    "invalid http version",
    "invalid http status",
    "invalid http header",
    "invalid content-length",
    "invalid transfer-encoding",
    "unexpected transfer-encoding",
    "message head is too large",
    "invalid chunk",
];

/// reqwest quotes the address first: "error sending request for url (…): …". Its words must not decide.
fn without_url(chain: &str) -> String {
    match chain.split_once("for url (").and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))) {
        Some((before, after)) => format!("{before}{after}"),
        None => chain.to_owned(),
    }
}

impl ServerCertificateFault {
    /// Reads rustls' `CertificateError`, as text ("certificate expired: …") or by the name of its variant ("`UnknownIssuer`").
    fn recognise(fault: &str) -> Self {
        let begins = |words: &[&str]| words.iter().any(|word| fault.starts_with(word));
        if begins(&["certificate expired", "certificate not valid yet", "expired", "notvalidyet"]) {
            Self::Expired
        } else if begins(&["certificate not valid for name", "notvalidforname"]) {
            Self::NameMismatch
        } else if begins(&["unknownissuer", "unknown issuer", "badsignature", "causedasendentity", "other(otherror(causedasendentity"]) {
            Self::Untrusted
        } else {
            Self::Other
        }
    }
}

impl TransportFault {
    /// Reads the text of an error chain (`error: cause: cause`) as reqwest, hyper, rustls and the C library print it.
    ///
    /// The most telling part wins, wherever it stands in the chain: TLS and DNS faults are wrapped in a connection error.
    pub fn recognise(text_of_error_chain: &str) -> Self {
        let text = without_url(text_of_error_chain).to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if let Some((_, alert)) = text.split_once("received fatal alert: ") {
            return Self::of_alert(alert.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default());
        }
        if let Some((_, fault)) = text.split_once("invalid peer certificate: ") {
            return Self::ServerCertificate(ServerCertificateFault::recognise(fault));
        }
        // Longer texts first: "connection reset" may follow "tunnel error".
        let table: [(&[&str], Self); 9] = [
            (&["proxy authorization required", "proxy authentication required", "407 proxy"], Self::ProxyAuthenticationRequired),
            (&["tunnel error", "socks error", "proxy error", "unsuccessful tunnel"], Self::ProxyTunnel),
            (DNS, Self::Dns),
            (&["timed out", "timeout", "deadline has elapsed", "deadline exceeded"], Self::Timeout),
            (&["connection refused", "actively refused"], Self::Refused),
            (&["unreachable", "no route to host", "network is down", "host is down", "address not available"], Self::Unreachable),
            (TLS, Self::Tls),
            (PROTOCOL, Self::Protocol),
            (RESET, Self::Reset),
        ];
        table.iter().find(|(words, _)| says(words)).map_or(Self::Other, |(_, fault)| *fault)
    }

    /// The names are those of rustls' `AlertDescription` in lower case; the meanings those of RFC 8446 §6.2.
    fn of_alert(alert: &str) -> Self {
        match alert {
            "nocertificate"
            | "badcertificate"
            | "unsupportedcertificate"
            | "certificaterevoked"
            | "certificateexpired"
            | "certificateunknown"
            | "unknownca"
            | "accessdenied"
            | "certificaterequired"
            | "certificateunobtainable"
            | "badcertificatehashvalue"
            | "decrypterror" => Self::ClientCertificateRefused,
            "handshakefailure" => Self::HandshakeRefused,
            _ => Self::Tls,
        }
    }

    /// The reason that this fault gives.
    pub const fn rejection(self) -> Rejection {
        match self {
            Self::ServerCertificate(_) => Rejection::TLSVerificationFailed,
            Self::ClientCertificateRefused | Self::HandshakeRefused => Rejection::ClientAuthenticationFailed(ClientCause::BadCertificate),
            Self::ProxyAuthenticationRequired => Rejection::ProxyAuthenticationRequired,
            Self::Protocol => Rejection::NotAnOAuthResponse,
            Self::Dns | Self::Timeout | Self::Refused | Self::Unreachable | Self::Reset | Self::Tls | Self::ProxyTunnel | Self::Other => {
                Rejection::ConnectionFailed
            }
        }
    }

    /// The fault in our own words, for messages: the library's text may quote host names, addresses and times.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Dns => "the host name of the token endpoint could not be resolved",
            Self::Timeout => "the token endpoint did not answer in time",
            Self::Refused => "the connection was refused: nothing listens at that address and port",
            Self::Unreachable => "the token endpoint's network could not be reached",
            Self::Reset => "the connection was closed before the answer was complete",
            Self::ServerCertificate(ServerCertificateFault::Expired) => "the server's certificate is expired or not yet valid",
            Self::ServerCertificate(ServerCertificateFault::NameMismatch) => "the server's certificate was issued for another host name",
            Self::ServerCertificate(ServerCertificateFault::Untrusted) => "the server's certificate was not issued by a trusted authority",
            Self::ServerCertificate(ServerCertificateFault::Other) => "the server's certificate can't be accepted",
            Self::ClientCertificateRefused => "the server refused the client certificate, or missed one (TLS alert)",
            Self::HandshakeRefused => {
                "the server broke off the TLS handshake: it demands a client certificate, or no TLS version or cipher is common"
            }
            Self::Tls => "the TLS handshake failed",
            Self::ProxyAuthenticationRequired => "the proxy demands credentials",
            Self::ProxyTunnel => "the proxy did not open a tunnel to the token endpoint",
            Self::Protocol => "what answered does not speak HTTP",
            Self::Other => "the request could not be sent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_reqwest_hyper_rustls_and_the_system_are_known() {
        let url = "error sending request for url (https://timeout.dns-error.example/token): client error (Connect): ";
        for (text, expected) in [
            ("dns error: failed to lookup address information: Name or service not known", TransportFault::Dns),
            ("tcp connect error: Connection refused (os error 111)", TransportFault::Refused),
            ("tcp connect error: No route to host (os error 113)", TransportFault::Unreachable),
            ("tcp connect error: deadline has elapsed", TransportFault::Timeout),
            ("operation timed out", TransportFault::Timeout),
            ("connection error: Connection reset by peer (os error 104)", TransportFault::Reset),
            ("connection closed before message completed", TransportFault::Reset),
            ("received fatal alert: CertificateRequired", TransportFault::ClientCertificateRefused),
            ("connection error: received fatal alert: UnknownCA", TransportFault::ClientCertificateRefused),
            ("received fatal alert: HandshakeFailure", TransportFault::HandshakeRefused),
            ("received fatal alert: ProtocolVersion", TransportFault::Tls),
            ("received fatal alert: Unknown(0x99)", TransportFault::Tls),
            ("received corrupt message of type InvalidContentType", TransportFault::Tls),
            ("invalid peer certificate: UnknownIssuer", TransportFault::ServerCertificate(ServerCertificateFault::Untrusted)),
            ("invalid peer certificate: Revoked", TransportFault::ServerCertificate(ServerCertificateFault::Other)),
            (
                "invalid peer certificate: certificate expired: verification time 2 (UNIX), \
                 but certificate is not valid after 1 (1 seconds ago)",
                TransportFault::ServerCertificate(ServerCertificateFault::Expired),
            ),
            (
                "invalid peer certificate: certificate not valid for name \"expired.example\"; certificate is only valid for a.example",
                TransportFault::ServerCertificate(ServerCertificateFault::NameMismatch),
            ),
            ("tunnel error: proxy authorization required", TransportFault::ProxyAuthenticationRequired),
            ("tunnel error: unsuccessful", TransportFault::ProxyTunnel),
            ("invalid HTTP version parsed", TransportFault::Protocol),
            ("something new", TransportFault::Other),
            ("", TransportFault::Other),
        ] {
            assert_eq!(TransportFault::recognise(text), expected, "{text}");
            assert_eq!(TransportFault::recognise(&format!("{url}{text}")), expected, "a host name must not decide: {text}");
        }
    }

    #[test]
    fn a_fault_of_a_certificate_is_told_apart_from_a_fault_of_the_network() {
        let reason = |text| TransportFault::recognise(text).rejection();
        assert_eq!(reason("received fatal alert: BadCertificate"), Rejection::ClientAuthenticationFailed(ClientCause::BadCertificate));
        assert_eq!(reason("invalid peer certificate: BadEncoding"), Rejection::TLSVerificationFailed);
        assert_eq!(reason("something new"), Rejection::ConnectionFailed);
    }
}
