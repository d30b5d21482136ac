"""An SSH server that fails in the way it is told to.

Its settings are a JSON file, named by the only argument. Events go to stdout, one JSON object a
line. Commands come through a Unix socket the same way, and each is answered when it has taken
effect.
"""

import asyncio
import json
import os
import signal
import sys

import asyncssh

from raw_connections import BANNER, HalfKeyExchange, SilentConnection


class Fixture:
    """What the connections share."""

    def __init__(self, settings):
        self.settings = settings
        self.behaviour = settings["behaviour"]
        self.host_keys = settings["hostKeys"]
        self.next_behaviours = []
        self.connections = {}
        self.accepted = 0
        self.never = asyncio.get_running_loop().create_future()

    def accept(self):
        """The protocol of the next connection."""
        behaviour = self.next_behaviours.pop(0) if self.next_behaviours else self.behaviour
        self.accepted += 1
        if behaviour == "stall-before-banner":
            protocol = SilentConnection()
        elif behaviour == "stall-after-banner":
            protocol = SilentConnection(BANNER)
        elif behaviour == "drop-mid-kex":
            protocol = HalfKeyExchange()
        else:
            protocol = self._ssh_connection(behaviour)
        return watched(protocol, self, self.accepted)

    def _ssh_connection(self, behaviour):
        keys = self.host_keys
        if behaviour == "change-host-key":
            keys = [asyncssh.generate_private_key("ssh-ed25519")]
        server = Server(self, self.accepted, behaviour)
        options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: server, server_host_keys=keys
        )
        connection = Connection(asyncio.get_running_loop(), options)
        connection.fixture_server = server
        return connection

    def behave(self, behaviour, connections=None):
        """From now on for all, open connections too, or for the next few only."""
        if connections is not None:
            self.next_behaviours = [behaviour] * connections
            return
        self.behaviour = behaviour
        for protocol, _ in self.connections.values():
            if isinstance(protocol, Connection):
                protocol.fixture_server.behaviour = behaviour

    def drop(self):
        for _, transport in list(self.connections.values()):
            transport.abort()


def watched(protocol, fixture, number):
    """Reports the beginning and the end of a connection, whoever serves it."""
    made, lost = protocol.connection_made, protocol.connection_lost

    def connection_made(transport):
        fixture.connections[number] = (protocol, transport)
        emit("connection", connection=number)
        made(transport)

    def connection_lost(error):
        if fixture.connections.pop(number, None) is not None:
            emit("closed", connection=number)
        lost(error)

    protocol.connection_made, protocol.connection_lost = connection_made, connection_lost
    return protocol


class Connection(asyncssh.SSHServerConnection):
    """The library's connection, but for one thing that the library does not let a server decide."""

    fixture_server = None

    def _service_next_global_request(self):
        # They are answered in order, so the queue just grows; keepalives are among them.
        if self.fixture_server.behaviour != "ignore-keepalive":
            emit("global-request", connection=self.fixture_server.number)
            super()._service_next_global_request()


class Server(asyncssh.SSHServer):
    """Decides about one connection."""

    def __init__(self, fixture, number, behaviour):
        self._fixture = fixture
        self._settings = fixture.settings
        self.number = number
        self._user = None
        self._conn = None
        self._children = set()
        self.behaviour = behaviour

    def connection_made(self, conn):
        self._conn = conn

    def connection_lost(self, exc):
        for child in self._children:
            if child.returncode is None:
                child.kill()

    # Who may come in.

    async def begin_auth(self, username):
        self._user = username
        self._auth("begun")
        if self.behaviour == "stall-authentication":
            await self._fixture.never
        if self._takes_keys():
            # Read anew each time, since keys are added while the server runs.
            self._conn.set_authorized_keys(self._settings["authorizedKeys"])
        return True

    def auth_completed(self):
        self._auth("completed")
        if self.behaviour == "drop-after-auth":
            _, transport = self._fixture.connections[self.number]
            # Not before the client has been told: what is written goes out first.
            transport.close()

    def public_key_auth_supported(self):
        return self._takes_keys()

    def password_auth_supported(self):
        return self.behaviour == "password-only"

    def validate_password(self, username, password):
        return self._judge(password == self._settings["password"])

    def kbdint_auth_supported(self):
        return self.behaviour == "keyboard-interactive"

    def get_kbdint_challenge(self, username, lang, submethods):
        prompts = [(prompt["text"], prompt["echo"]) for prompt in self._settings["prompts"]]
        return "Test", "Answer, please.", "en", prompts

    def validate_kbdint_response(self, username, responses):
        expected = [prompt["answer"] for prompt in self._settings["prompts"]]
        return self._judge(list(responses) == expected)

    def _takes_keys(self):
        return self.behaviour not in ("password-only", "keyboard-interactive")

    def _judge(self, is_right):
        if not is_right:
            self._auth("refused")
        return is_right

    def _auth(self, outcome):
        emit("auth", connection=self.number, user=self._user, outcome=outcome)

    # What may be opened.

    def session_requested(self):
        self._channel("session", "")
        if self.behaviour == "no-session":
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "no sessions here"
            )
        channel = self._conn.create_server_channel(encoding=None)
        if self.behaviour == "stall-channel":
            return channel, StalledSession()
        return channel, self._run_command

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        self._channel("direct-tcpip", f"{dest_host}:{dest_port}")
        return self._forward(lambda: self._conn.create_tcp_channel())

    def unix_connection_requested(self, dest_path):
        self._channel("direct-streamlocal", dest_path)
        return self._forward(lambda: self._conn.create_unix_channel())

    def _forward(self, create_channel):
        if self.behaviour == "refuse-forward":
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "no forwards here"
            )
        if self.behaviour == "connect-failed":
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "nothing listens there")
        if self.behaviour == "stall-channel":
            return create_channel(), StalledSession()
        return True

    def _channel(self, kind, destination):
        emit("channel", connection=self.number, kind=kind, destination=destination)

    async def _run_command(self, stdin, stdout, stderr):
        command = stdout.channel.get_command()
        child = await asyncio.create_subprocess_exec(
            *(["/bin/sh"] if command is None else ["/bin/sh", "-c", command]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._settings["home"],
            env={**os.environ, "HOME": self._settings["home"], "USER": self._user},
        )
        self._children.add(child)
        feed = asyncio.ensure_future(feed_command(stdin, child.stdin))
        await asyncio.gather(pump(child.stdout, stdout), pump(child.stderr, stderr))
        code = await child.wait()
        feed.cancel()
        self._children.discard(child)
        if code < 0:
            stdout.channel.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
        else:
            stdout.channel.exit(code)



async def feed_command(stdin, child_stdin):
    """The end of its input ends a command; that of its output must not end its error output."""
    await pump(stdin, child_stdin)
    child_stdin.close()


class StalledSession(asyncssh.SSHServerSession, asyncssh.SSHTCPSession, asyncssh.SSHUNIXSession):
    """Opens a channel of any kind, and then neither reads from it nor writes to it."""

    def connection_made(self, chan):
        self._chan = chan

    def session_started(self):
        self._chan.pause_reading()

    def shell_requested(self):
        return True

    def exec_requested(self, command):
        return True

    def eof_received(self):
        return True


async def pump(reader, writer):
    """Copies to the end; a side that is gone ends the copy and no more."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (OSError, asyncssh.Error):
        pass


def emit(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    fixture = Fixture(settings)

    def obey(command):
        if command["command"] == "behave":
            fixture.behave(command["behaviour"], command.get("connections"))
        elif command["command"] == "host-keys":
            fixture.host_keys = command["hostKeys"]
        elif command["command"] == "drop":
            fixture.drop()
        else:
            raise ValueError("unknown command")

    async def control(reader, writer):
        while line := await reader.readline():
            try:
                obey(json.loads(line))
                answer = {"ok": True}
            except (KeyError, ValueError) as error:
                answer = {"ok": False, "message": repr(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    await asyncio.start_unix_server(control, settings["controlSocket"])
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(fixture.accept, "127.0.0.1", settings["port"])
    emit("listening", port=listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


asyncio.run(main())
