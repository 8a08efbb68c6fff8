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

impl TransportFault {
    /// Reads the text of an error chain (`error: cause: cause`) as reqwest, hyper, rustls and the C library print it.
    pub fn recognise(text_of_error_chain: &str) -> Self {
        let _ = text_of_error_chain;
        Self::Other
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
