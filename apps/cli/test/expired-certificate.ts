/**
 * A certificate for `claw.example`, `localhost` and loopback that was valid in the year 2024 and no
 * longer is. The key protects nothing.
 */
export const expiredCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxjbGF3LmV4
YW1wbGUwHhcNMjQwMTAxMDAwMDAwWhcNMjUwMTAxMDAwMDAwWjAXMRUwEwYDVQQD
DAxjbGF3LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARZczaLR2n7
d1IEkt4Pd16eBcbijtp0YgdWyaUenSazqoFY7qIBZHR72tjxic96zmgQq8BZGkND
5L/w5/INzz2ko1wwWjAPBgNVHRMBAf8EBTADAQH/MCgGA1UdEQQhMB+CDGNsYXcu
ZXhhbXBsZYIJbG9jYWxob3N0hwR/AAABMB0GA1UdDgQWBBQ4uLQq9Nn9wbuP7DkM
KcAblhTz3TAKBggqhkjOPQQDAgNIADBFAiEAo2MKBgQeXT7eird9YmPeU9WyNGJ2
Tq9PgzwwVTvsMIoCIG/v7D6sp+w/Fy8BaVSOy0BgRXo9ysHM/Y0GGFy1FzBg
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghZPWRLjWbLcF8Edm
DpMuZMG9Kv4lnRxN7o1VpNYWpgKhRANCAARZczaLR2n7d1IEkt4Pd16eBcbijtp0
YgdWyaUenSazqoFY7qIBZHR72tjxic96zmgQq8BZGkND5L/w5/INzz2k
-----END PRIVATE KEY-----
`,
};
