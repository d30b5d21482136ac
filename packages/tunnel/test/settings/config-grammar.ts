import fc from "fast-check";

/** A configuration with what it includes, and a target to read it for. */
export interface WrittenConfig {
  readonly main: string;
  readonly included: string;
  readonly target: { readonly host: string; readonly user?: string; readonly port?: number };
}

const hosts = ["box", "web1", "web2", "db", "a.example.com", "BOX"];

const pattern = fc.constantFrom(
  ...["*", "box", "web?", "web*", "!web1", "!db", "*.example.com", "BOX", "w*1", "a.*.com", "?ox"],
);

/** Keywords with values that ssh takes. */
const settings: readonly (readonly [keyword: string, ...values: string[]])[] = [
  ["HostName", "%h.example.net", "Real.Example.ORG", "192.0.2.7", "2001:db8::7", "100%%", "%h-%h"],
  ["User", "ann", "bob", "'c d'", '"e f"', "g#h", "i\\ j", 'k"l m"n', "o\\p"],
  ["Port", "22", "2222", '"2022"', "ssh"],
  [
    "IdentityFile",
    ...["~/.ssh/id_one", "/keys/%h/%r", "~/keys/%u%%/%p", '"/my keys/k"', "none", "/keys/%n-%i"],
    ...["/keys/${KEYS}/k", "/k/%L/%l", "'/single quoted/k'", "~root/k", "/k#1", "/keys/%k"],
  ],
  ["CertificateFile", "~/.ssh/c-cert.pub", "/certs/%d/%i", '"/my certs/c"'],
  ["IdentitiesOnly", "yes", "no", "TRUE"],
  ["IdentityAgent", "~/agent.sock", "none", "SSH_AUTH_SOCK", "$OTHER", "/run/%u/${KEYS}"],
  ["HostKeyAlias", "Alias", "%h", "other.example.org"],
  ["UserKnownHostsFile", "~/.ssh/kh", "/kh/%k ~/second", '"/my hosts/kh" /kh2', "none"],
  ["GlobalKnownHostsFile", "/etc/kh", "/etc/kh1 /etc/kh2", "none"],
  ["HashKnownHosts", "yes", "no"],
  ["StrictHostKeyChecking", "yes", "no", "ask", "accept-new", "off", "Yes"],
  ["ServerAliveInterval", "0", "15", "2m", "1h30m", "1W2d", "none"],
  ["ServerAliveCountMax", "1", "5"],
  ["ConnectTimeout", "10", "1m", "none", "0"],
  [
    "LocalForward",
    ...["8080 127.0.0.1:80", "8080 localhost:81", "[::1]:8081 [2001:db8::1]:80", "*:90 h:9"],
    ...["/tmp/a.sock /run/b.sock", '"/tmp/a b-%h.sock" h:70', "8082 /run/c.sock", ":91 :92"],
    ...["localhost:8083 h:ssh", "/tmp/${KEYS} h:1"],
  ],
  ["AddressFamily", "any", "inet", "INET6"],
  ["BindAddress", "192.0.2.1", "::1"],
  ["PreferredAuthentications", "publickey", "keyboard-interactive,password", "gssapi-with-mic"],
  ["PasswordAuthentication", "yes", "no"],
  ["PubkeyAuthentication", "yes", "no"],
  ["KbdInteractiveAuthentication", "no"],
  ["ChallengeResponseAuthentication", "no"],
  ["ProxyJump", "hop1", "ann@hop1:2200,hop2", "none", "192.0.2.9", "[2001:db8::9]:22 # last"],
  ["ProxyJump", "ssh://bob@hop3:2022", "ssh://hop4,hop1"],
  ["ProxyCommand", "nc %h %p", "none", "= nc # %h"],
  ["Ciphers", "aes128-ctr,aes256-ctr", "+aes128-cbc", "-aes*", "^aes256-gcm@openssh.com"],
  ["MACs", "hmac-sha2-256", "-umac*,hmac-sha1*", "+hmac-md5"],
  ["KexAlgorithms", "curve25519-sha256", "-diffie*", "^ecdh-sha2-nistp521,curve25519-sha256"],
  ["HostKeyAlgorithms", "ssh-ed25519", "+ssh-rsa", "-ecdsa-*", "^rsa-sha2-*"],
  ["PubkeyAcceptedAlgorithms", "+ssh-rsa", "ssh-ed25519,rsa-sha2-512", "^rsa-sha2-256"],
  ["ClearAllForwardings", "yes", "no"],
  ["ForwardAgent", "yes", "no"],
  ["RemoteForward", "9000 localhost:9001", "9002"],
  ["DynamicForward", "1080", "localhost:1081"],
  ["Compression", "yes", "no"],
  ["ControlMaster", "auto", "no"],
  ["RemoteCommand", "tmux attach", "none"],
  ["SetEnv", "A=b"],
  ["SendEnv", "LANG LC_*", "EDITOR"],
  ["KnownHostsCommand", "/bin/keys %H", "none"],
  ["RevokedHostKeys", "/etc/revoked", "none"],
  ["PKCS11Provider", "/lib/p11.so", "none"],
  ["HostbasedAuthentication", "yes", "no"],
  ["Tunnel", "yes", "no", "ethernet"],
  ["VerifyHostKeyDNS", "yes", "ask", "no"],
  ["TCPKeepAlive", "no", "yes"],
  ["IgnoreUnknown", "UseKeychain", "Foo*,UseKeychain"],
];

/** Lines that ssh refuses, or takes only after IgnoreUnknown. */
const doubtful: readonly string[] = [
  ...["Port 0", "Port 99999", "Port twenty", "Port 22 23", "Port=", 'IdentityFile ""'],
  ...["IdentityFile /a b", "IdentitiesOnly maybe", "UserKnownHostsFile /a none"],
  ...["StrictHostKeyChecking sometimes", "ServerAliveInterval 5x", "ServerAliveCountMax -1"],
  ...["ConnectTimeout soon", "LocalForward 8084 h", "LocalForward 0 h:1", "LocalForward h:1"],
  ...["LocalForward 8085 h:1 x", "AddressFamily ipv4", "ProxyJump a@", "PasswordAuthentication ?"],
  ...["UseKeychain yes", "UseKeychain yes", "FooBar baz", 'User "open', "User", "User ann bob"],
  ...["Match", "Host", 'Host ""', "Match all host x", "Match nonsense x", "Match host"],
  ...["IdentityAgent ${UNSET}", "HostName %q", "IdentityFile /k/%q", "IdentityFile ${UNSET}/k"],
];

const separator = fc.constantFrom(" ", " ", " ", "\t", "=", " = ", "   ");
const spelling = fc.constantFrom(
  (name: string) => name,
  (name: string) => name,
  (name: string) => name.toLowerCase(),
  (name: string) => name.toUpperCase(),
);
const indent = fc.constantFrom("", "  ", "\t");
const ending = fc.constantFrom("", "", "", " ", "\t \r", " # a comment", " #");

const setting = fc
  .constantFrom(...settings)
  .chain(([keyword, ...values]) => fc.tuple(fc.constant(keyword), fc.constantFrom(...values)));

const criterion = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("", "", "!"),
      fc.constantFrom("host", "originalhost", "user", "localuser", "HOST"),
      fc.array(fc.oneof(pattern, fc.constantFrom("ann", "root", "real*", "!bob")), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.boolean(),
    )
    .map(([not, name, list, isQuoted]) =>
      isQuoted ? `${not}${name} "${list.join(",")}"` : `${not}${name} ${list.join(",")}`,
    ),
  fc.constantFrom("final", "!final", "canonical"),
);

const head = fc.oneof(
  { weight: 4, arbitrary: fc.array(pattern, { minLength: 1, maxLength: 3 }).map(line("Host")) },
  {
    weight: 3,
    arbitrary: fc.array(criterion, { minLength: 1, maxLength: 2 }).map(line("Match")),
  },
  { weight: 1, arbitrary: fc.constantFrom("Match all", "Match !all", "Match final all") },
);

const statement = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.tuple(indent, spelling, setting, separator, ending).map(
      ([before, spell, [keyword, value], gap, after]) =>
        // ssh takes the comment after `ProxyJump none` for part of a name.
        `${before}${spell(keyword)}${gap}${value}${value === "none" ? "" : after}`,
    ),
  },
  { weight: 20, arbitrary: fc.tuple(head, ending).map((parts) => parts.join("")) },
  { weight: 6, arbitrary: fc.constantFrom("", "# Port 1", "   ", "  # x", "Protocol 2") },
  { weight: 1, arbitrary: fc.constantFrom(...doubtful) },
);

const body = fc.array(statement, { maxLength: 12 }).map((lines) => lines.join("\n"));

/** Configurations from a grammar: blocks, Include, repeated keys, quotes, comments, and faults. */
export const writtenConfig: fc.Arbitrary<WrittenConfig> = fc.record({
  main: fc
    .tuple(
      body,
      fc.constantFrom("", "\nInclude __INCLUDED__\n", "\ninclude=__INCLUDED__ /none\n"),
      body,
    )
    .map((parts) => parts.join("\n")),
  included: body,
  target: fc.record(
    {
      host: fc.constantFrom(...hosts),
      user: fc.constantFrom("ann", "bob"),
      port: fc.constantFrom(22, 2200),
    },
    { requiredKeys: ["host"] },
  ),
});

function line(keyword: string): (parts: readonly string[]) => string {
  return (parts) => `${keyword} ${parts.join(" ")}`;
}
