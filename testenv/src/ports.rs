//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use crate::error::Error;

/// `N` different ports that were free a moment ago. They are let go together, so that none is given out twice.
pub(crate) fn free<const N: usize>() -> Result<[u16; N], Error> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::Port)?;
        *port = listener.local_addr().map_err(Error::Port)?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_ports_differ() {
        let [a, b, c] = super::free::<3>().unwrap();
        assert!(a != b && b != c && a != c && a != 0);
    }
}
