/** How the arguments of a keyword are read. */
export type KeywordKind =
  /** Where blocks begin and other files come in. */
  | "host"
  | "match"
  | "include"
  /** One argument; the first value wins, as with all but the repeated ones. */
  | "string"
  | "flag"
  | "count"
  | "seconds"
  | "port"
  | "family"
  | "strictness"
  | "agent"
  /** Any number of paths. */
  | "files"
  /** One path, added to those before it. */
  | "repeated"
  | "forward"
  /** Any arguments, added to those before them. */
  | "listed"
  /** The rest of the line. */
  | "command"
  | "jump"
  /** Any arguments: nothing of ours depends on more than whether they were given. */
  | "any"
  /** Known to ssh and without effect. */
  | "obsolete";

const KINDS: Readonly<Record<KeywordKind, string>> = {
  host: "host",
  match: "match",
  include: "include",
  string: `user hostname hostkeyalias bindaddress bindinterface preferredauthentications
    pkcs11provider securitykeyprovider revokedhostkeys ignoreunknown kbdinteractivedevices
    controlpath xauthlocation tag ciphers macs kexalgorithms hostkeyalgorithms
    pubkeyacceptedalgorithms casignaturealgorithms hostbasedacceptedalgorithms`,
  flag: `identitiesonly hashknownhosts hostbasedauthentication gssapiauthentication
    passwordauthentication kbdinteractiveauthentication clearallforwardings forwardx11
    forwardx11trusted gatewayports exitonforwardfailure batchmode checkhostip tcpkeepalive
    nohostauthenticationforlocalhost permitlocalcommand visualhostkey proxyusefdpass stdinnull
    forkafterauthentication streamlocalbindunlink enablesshkeysign canonicalizefallbacklocal
    gssapidelegatecredentials gssapikeyexchange gssapitrustdns gssapirenewalforcesrekey
    enableescapecommandline`,
  count: `serveralivecountmax connectionattempts numberofpasswordprompts requiredrsasize
    canonicalizemaxdots`,
  seconds: "serveraliveinterval connecttimeout",
  port: "port",
  family: "addressfamily",
  strictness: "stricthostkeychecking",
  agent: "identityagent",
  files: "userknownhostsfile globalknownhostsfile",
  repeated: "identityfile certificatefile",
  forward: "localforward",
  listed: "remoteforward dynamicforward sendenv",
  command: "proxycommand knownhostscommand localcommand remotecommand",
  jump: "proxyjump",
  any: `pubkeyauthentication compression controlmaster controlpersist requesttty sessiontype tunnel
    tunneldevice verifyhostkeydns updatehostkeys canonicalizehostname canonicaldomains
    canonicalizepermittedcnames loglevel logverbose syslogfacility ipqos rekeylimit escapechar
    fingerprinthash streamlocalbindmask addkeystoagent forwardagent permitremoteopen
    gssapiclientidentity gssapiserveridentity gssapikexalgorithms obscurekeystroketiming
    channeltimeout versionaddendum warnweakcrypto refuseconnection setenv forwardx11timeout`,
  obsolete: `protocol cipher fallbacktorsh globalknownhostsfile2 userknownhostsfile2
    rhostsauthentication useroaming usersh useprivilegedport afstokenpassing
    kerberosauthentication kerberostgtpassing rsaauthentication rhostsrsaauthentication
    compressionlevel`,
};

const ALIASES: Readonly<Record<string, string>> = {
  challengeresponseauthentication: "kbdinteractiveauthentication",
  dsaauthentication: "pubkeyauthentication",
  hostbasedkeytypes: "hostbasedacceptedalgorithms",
  identityfile2: "identityfile",
  keepalive: "tcpkeepalive",
  protocolkeepalives: "serveraliveinterval",
  pubkeyacceptedkeytypes: "pubkeyacceptedalgorithms",
  setuptimeout: "serveraliveinterval",
  skeyauthentication: "kbdinteractiveauthentication",
  smartcarddevice: "pkcs11provider",
  tisauthentication: "kbdinteractiveauthentication",
};

const BY_NAME: ReadonlyMap<string, KeywordKind> = new Map(
  Object.entries(KINDS).flatMap(([kind, names]) =>
    // The keys of KINDS are its kinds.
    names.split(/\s+/u).map((name) => [name, kind as KeywordKind] as const),
  ),
);

/** The keyword that a name in lower case stands for; undefined for one that ssh does not know. */
export function findKeyword(
  name: string,
): { readonly keyword: string; readonly kind: KeywordKind } | undefined {
  const keyword = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  const kind = BY_NAME.get(keyword);
  return kind && { keyword, kind };
}
