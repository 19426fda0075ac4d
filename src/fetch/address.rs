//! Which addresses are of the public internet. By the registries of special addresses of IANA (IPv4
//! and IPv6, as of 2025): what is not globally reachable is not connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is somebody else's, out there.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let of = |network: [u8; 4], bits: u32| {
        let mask = u32::MAX << (32 - bits);
        u32::from(address) & mask == u32::from(Ipv4Addr::from(network))
    };
    let special = of([0, 0, 0, 0], 8)
        || of([10, 0, 0, 0], 8)
        || of([100, 64, 0, 0], 10) // between carriers and their customers
        || of([127, 0, 0, 0], 8)
        || of([169, 254, 0, 0], 16)
        || of([172, 16, 0, 0], 12)
        || of([192, 0, 0, 0], 24)
        || of([192, 0, 2, 0], 24)
        || of([192, 88, 99, 0], 24)
        || of([192, 168, 0, 0], 16)
        || of([198, 18, 0, 0], 15)
        || of([198, 51, 100, 0], 24)
        || of([203, 0, 113, 0], 24)
        || of([224, 0, 0, 0], 3); // multicast, reserved, broadcast
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let embedded = || Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    // NAT64: the address behind it is what counts.
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_public_v4(embedded());
    }
    // Global unicast; all else is loopback, link-local, unique local, multicast or reserved.
    let global = s[0] & 0xe000 == 0x2000;
    let special = match s[0] {
        // Protocols (Teredo, ORCHID, benchmarks), and what stands in documentation.
        0x2001 => s[1] < 0x200 || s[1] == 0xdb8,
        // 6to4: an IPv4 address in disguise.
        0x2002 => true,
        0x3fff => s[1] < 0x1000,
        _ => false,
    };
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:200::1",
        ] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(special.parse().expect("an address")), "{special}");
        }
    }
}
