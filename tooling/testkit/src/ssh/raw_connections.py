"""Connections that end or fall silent before an SSH library would have a say."""

import asyncio
import os
import struct

BANNER = b"SSH-2.0-Misbehaving\r\n"

MSG_KEXINIT = 20
MSG_KEX_ECDH_INIT = 30

# What every client of these tests knows; the exchange is begun and never finished.
KEX_ALGORITHMS = b"curve25519-sha256"
HOST_KEY_ALGORITHMS = b"ssh-ed25519,rsa-sha2-256,ecdsa-sha2-nistp256"
CIPHERS = b"aes128-ctr"
MACS = b"hmac-sha2-256"
COMPRESSION = b"none"


class SilentConnection(asyncio.Protocol):
    """Takes the connection and whatever comes, and says at most who it is."""

    def __init__(self, greeting=b""):
        self._greeting = greeting

    def connection_made(self, transport):
        if self._greeting:
            transport.write(self._greeting)


class HalfKeyExchange(asyncio.Protocol):
    """Begins a key exchange, and hangs up when the client has sent its share."""

    def __init__(self):
        self._transport = None
        self._received = b""
        self._banner_seen = False

    def connection_made(self, transport):
        self._transport = transport
        transport.write(BANNER + packet(kexinit()))

    def data_received(self, data):
        self._received += data
        if not self._banner_seen:
            banner, line_break, rest = self._received.partition(b"\n")
            if not line_break:
                return
            self._banner_seen = True
            self._received = rest
        while (kind := self._next_kind()) is not None:
            if kind == MSG_KEX_ECDH_INIT:
                self._transport.close()
                return

    def _next_kind(self):
        """Kind of the next whole packet, which is taken; nothing is encrypted yet."""
        if len(self._received) < 6:
            return None
        (length,) = struct.unpack_from(">I", self._received)
        if len(self._received) < 4 + length:
            return None
        kind = self._received[5]
        self._received = self._received[4 + length :]
        return kind


def kexinit():
    """Payload of SSH_MSG_KEXINIT (RFC 4253, 7.1)."""
    both_ways = [CIPHERS, CIPHERS, MACS, MACS, COMPRESSION, COMPRESSION, b"", b""]
    lists = [KEX_ALGORITHMS, HOST_KEY_ALGORITHMS, *both_ways]
    encoded = b"".join(struct.pack(">I", len(names)) + names for names in lists)
    no_guess_follows = b"\0"
    return bytes([MSG_KEXINIT]) + os.urandom(16) + encoded + no_guess_follows + struct.pack(">I", 0)


def packet(payload):
    """The payload in an unencrypted packet (RFC 4253, 6): a multiple of 8 with 4 bytes of padding."""
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)
