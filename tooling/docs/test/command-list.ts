/**
 * How a command of the pages is tried.
 *
 * - `run`: to its end, which is exit code 0, and it prints what fits.
 * - `stays up`: until it prints what fits.
 * - `script`: a script of the root's package.json; that it exists is checked.
 * - `not run`: for the reason given.
 */
export type Trial =
  | { kind: "run"; on: Stand; prints: RegExp }
  | { kind: "stays up"; on: Stand; prints: RegExp }
  | { kind: "script" }
  | { kind: "not run"; because: string };

/**
 * What a command finds when it runs.
 *
 * - `paired`: a Gateway with a node named laptop.
 * - `device asks`: a Gateway with a device that waits; `<requestId>` is its request.
 * - `device paired`: the same after the approval; `<deviceId>` is the device.
 * - `surface asks`: a paired node whose commands wait; `<requestId>` is that request.
 * - `examples`: the two examples; `<nodeId>` is the node.
 * - `tailnet`: no Gateway; a stand-in of Tailscale, which makes the machine `box.tail1234.ts.net`.
 * - `behind ssh`: a Gateway on `me@box`, which the config leads to; a node workshop-pi that came through
 *   SSH; an open tunnel.
 * - `serves tls`: the machine of a Gateway that serves TLS with a certificate of its own making.
 * - `in the lan`: another machine; `wss://192.168.1.20:18789` is that Gateway, `<pin>` its public key.
 */
export type Stand =
  | "paired"
  | "device asks"
  | "device paired"
  | "surface asks"
  | "examples"
  | "tailnet"
  | "behind ssh"
  | "serves tls"
  | "in the lan";

const run = (on: Stand, prints: RegExp): Trial => ({ kind: "run", on, prints });
const staysUp = (prints: RegExp, on: Stand = "paired"): Trial => ({ kind: "stays up", on, prints });
const notRun = (because: string): Trial => ({ kind: "not run", because });
const script: Trial = { kind: "script" };
const asService = notRun("apps/cli does, on a stand-in of systemd");
const ofTailscale = notRun("a program of Tailscale, on a machine that is in a tailnet");
const openSsh = notRun("a program of OpenSSH, for a person at a terminal");

/** Every command of README.md, CONTRIBUTING.md and docs/, and how it is tried. */
export const commandList: Readonly<Record<string, Trial>> = {
  "openclaw gateway run --port 18789 --token T": staysUp(/WebSocket: ws:\/\/127\.0\.0\.1:\d+/),
  "OPENCLAW_GATEWAY_TOKEN=T openclaw node run --host 127.0.0.1 --port 18789 --display-name laptop":
    staysUp(/Connected to ws:/),
  "export OPENCLAW_GATEWAY_TOKEN=T": run("paired", /^$/),

  "openclaw health": run("paired", /Gateway is healthy/),
  "openclaw gateway call node.list": run("paired", /"displayName": "laptop"/),
  "openclaw gateway call health --json": run("paired", /"ok": true/),
  "openclaw devices list": run("paired", /laptop/),
  "openclaw nodes status": run("paired", /Connected: 1/),
  "openclaw qr --public-url wss://gw.example": run("paired", /Setup code/),
  "openclaw connect <code>": notRun("a code is good once; apps/cli does"),
  "openclaw nodes pending": run("surface asks", /[0-9a-f]{6}/),
  "openclaw nodes run --node laptop -- uname -a": run("paired", /\w/),
  "openclaw nodes run --node laptop --raw 'for i in 1 2 3; do echo $i; done'": run(
    "paired",
    /1\n2\n3\n/,
  ),
  [`openclaw nodes invoke --node laptop --command system.which --params '{"bins":["git"]}'`]: run(
    "paired",
    /"ok": true/,
  ),
  [`openclaw nodes invoke --node laptop --command system.which --params '{"bins":["git"]}' --idempotency-key which-git-1`]:
    run("paired", /"ok": true/),
  "openclaw nodes invoke --status which-git-1": run("paired", /finished/),

  "openclaw onboard": notRun("asks a person at a terminal; apps/cli answers it in its tests"),
  "openclaw configure": notRun("asks a person at a terminal; apps/cli answers it in its tests"),
  "openclaw onboard --non-interactive --accept-risk --install-daemon": asService,
  "openclaw onboard --non-interactive --accept-risk --mode remote --remote-url ssh://me@box --remote-token T":
    notRun("leads every command elsewhere; apps/cli does it in its tests"),

  "openclaw gateway discover": run("paired", /Found \d+ gateway/),
  "openclaw gateway discover --timeout 5000 --json": run("paired", /"domains"/),
  "openclaw gateway probe --ssh-auto": run("paired", /Discovered: \d+/),
  "openclaw logs": run("paired", /gateway listening/),
  "openclaw logs --follow --local-time": staysUp(/gateway listening/),
  "openclaw logs --json --limit 1000": run("paired", /"type":"meta"/),
  "openclaw logs --limit 1": run("paired", /\d/),
  "openclaw dashboard": run("paired", /Dashboard: http:\/\/127\.0\.0\.1:\d+\//),
  "openclaw dashboard --no-open": run("paired", /Dashboard: http/),
  "openclaw dashboard --json": run("paired", /"tokenIncluded": false/),
  "openclaw --profile work gateway run --port 18889 --token T": notRun(
    "apps/gateway starts three profiles at once",
  ),
  "openclaw --profile work health --port 18889": notRun(
    "apps/gateway starts three profiles at once",
  ),

  "openclaw status": run("paired", /Gateway/),
  // On a stand of its own: the others share one config.
  "openclaw config set gateway.port 18790": run("device asks", /gateway\.port/),

  "openclaw security audit": run("paired", /Security audit/),
  "openclaw security audit --deep": run("paired", /Security audit/),
  "openclaw security audit --fix": run("paired", /Fixed/),
  "openclaw security audit --json": run("paired", /"checkId"/),

  "openclaw devices approve <requestId>": run("device asks", /\w/),
  "openclaw devices reject <requestId>": run("device asks", /\w/),
  "openclaw devices rotate --device <deviceId> --role node": run("device paired", /\w/),
  "openclaw devices revoke --device <deviceId> --role node": run("device paired", /\w/),
  "openclaw devices remove <deviceId>": run("device paired", /\w/),
  "openclaw nodes approve <requestId>": run("surface asks", /\w/),
  "openclaw nodes reject <requestId>": run("surface asks", /\w/),

  [`openclaw gateway call app.greet --params '{"nodeId":"<nodeId>","name":"Ada"}'`]: run(
    "examples",
    /Hello Ada/,
  ),
  [`openclaw nodes invoke --node <nodeId> --command demo.greet --params '{"name":"Ada"}'`]: run(
    "examples",
    /Hello Ada/,
  ),

  "openclaw health --url wss://claw.example --token <token>": notRun(
    "packages/gateway-core does, with the page's proxies in front of it",
  ),

  "openclaw gateway run --port 18789 --token T --tailscale serve --tailscale-reset-on-exit":
    staysUp(/Tailscale Serve: https:\/\/box\.tail1234\.ts\.net\//, "tailnet"),
  "OPENCLAW_GATEWAY_PASSWORD=P openclaw gateway run --port 18789 --allow-unconfigured --auth password --tailscale funnel --tailscale-reset-on-exit":
    staysUp(/Tailscale Funnel: https:\/\/box\.tail1234\.ts\.net\//, "tailnet"),
  "openclaw health --url wss://box.tail1234.ts.net --token <token>": ofTailscale,
  "openclaw health --url wss://box.tail1234.ts.net --password <password>": ofTailscale,
  "openssl rand -base64 24": notRun("a program of OpenSSL"),
  "sudo tailscale set --operator=$USER": ofTailscale,
  "tailscale funnel status": ofTailscale,
  "tailscale serve status": ofTailscale,
  "tailscale status": ofTailscale,
  "tailscale version": ofTailscale,

  "openclaw gateway certificate": run("serves tls", /sha256\/\/.{44}/),
  "openclaw gateway certificate --renew": run("serves tls", /Renewed, with the same key/),
  "openclaw remote set wss://192.168.1.20:18789 --tls-fingerprint <pin> --token-file -": run(
    "in the lan",
    /Commands now go to this Gateway/,
  ),
  "OPENCLAW_GATEWAY_TOKEN=<token> openclaw node run --host 192.168.1.20 --tls --tls-fingerprint <pin> --display-name workshop-pi":
    staysUp(/Connected to wss:.* as workshop-pi/, "in the lan"),
  "openclaw health --url wss://192.168.1.20:18789 --tls-fingerprint <pin> --token <token>": run(
    "in the lan",
    /Gateway is healthy/,
  ),

  "openclaw config set logging.level debug": run("paired", /Updated logging\.level/),
  "openclaw config get logging.level": run("paired", /^debug$/m),
  "openclaw config unset logging.level": run("paired", /Removed logging\.level/),
  "openclaw config validate": run("paired", /is valid/),
  "openclaw config set gateway.auth.token --value-file -": notRun(
    "apps/cli does, with a secret on stdin",
  ),
  "openclaw config set gateway.bind lan --confirm 60s": notRun(
    "apps/cli does, with a change of port",
  ),
  "openclaw config apply new.json5 --confirm 60s": notRun("apps/cli does, with a change of secret"),

  "openclaw doctor": run("paired", /^Doctor/),
  "openclaw doctor --json": run("paired", /"summary"/),
  "openclaw doctor --only config": run("paired", /^Doctor/),
  "openclaw doctor --lint --severity-min warn": notRun(
    "exits 1 when it finds something; apps/cli does",
  ),
  "openclaw doctor --lint": notRun("exits 1 when it finds something; apps/cli does"),
  "openclaw doctor --fix": run("paired", /^Doctor/),
  "openclaw doctor --fix --force": run("paired", /^Doctor/),
  "openclaw doctor --generate-gateway-token": run("paired", /^Doctor/),
  "openclaw doctor --undo-migration": notRun("there has to be something to undo; apps/cli does"),
  "openclaw doctor connect": run("paired", /Connected\./),
  "openclaw doctor connect --json": run("paired", /"ok": true/),
  "openclaw doctor connect --node laptop --command system.run": run("paired", /Connected\./),
  "openclaw doctor connect ssh://me@box --token <token>": run("behind ssh", /Connected\./),
  "openclaw doctor connect wss://192.168.1.20:18789 --tls-fingerprint <pin> --token <token>": run(
    "in the lan",
    /Connected\./,
  ),

  "openclaw gateway status": run("paired", /RPC probe: +ok/),
  "openclaw gateway install --enable-linger": asService,
  "openclaw remote set me@box": run(
    "behind ssh",
    /Commands go to this Gateway already|Commands now go/,
  ),
  "openclaw remote set me@box --token-file -": run("behind ssh", /Commands now go to this Gateway/),
  "openclaw remote test": run("behind ssh", /Ready/),
  "openclaw health --url ssh://me@box --token <token>": run("behind ssh", /Gateway is healthy/),
  "OPENCLAW_GATEWAY_TOKEN=<token> openclaw node run --ssh me@box --display-name workshop-pi":
    staysUp(/Connected to ws:.* over SSH to .* as workshop-pi/, "behind ssh"),
  "openclaw nodes run --node workshop-pi -- uname -a": run("behind ssh", /\w/),
  "openclaw node install --ssh me@box": asService,
  "openclaw node status": asService,
  "openclaw tunnel open me@box": staysUp(/^127\.0\.0\.1:\d+ -> /, "behind ssh"),
  "openclaw tunnel open me@box --accept-new": staysUp(/^127\.0\.0\.1:\d+ -> /, "behind ssh"),
  "openclaw tunnel open me@box -L 18790:127.0.0.1:18789": staysUp(
    /^127\.0\.0\.1:\d+ -> /,
    "behind ssh",
  ),
  "openclaw tunnel open me@box -L 18790:127.0.0.1:18789 -L 8080:127.0.0.1:80": staysUp(
    /^127\.0\.0\.1:\d+ -> /,
    "behind ssh",
  ),
  "openclaw tunnel install me@box": asService,
  "openclaw tunnel install me@box --force --replace-leftovers": asService,
  "openclaw tunnel list": run("behind ssh", /open for/),
  "openclaw tunnel status": run("behind ssh", /State: +open for/),
  "ssh-keygen -t ed25519": openSsh,
  "ssh-copy-id me@box": openSsh,
  "ssh me@box": openSsh,

  "npm install --global @openclaw/cli": notRun("tooling/e2e installs the tarballs"),
  "npm install @openclaw/tunnel": notRun("tooling/e2e installs the tarballs"),
  "npm install --global ./.packs/openclaw-cli-*.tgz": notRun("tooling/e2e does"),
  "npm install @openclaw/gateway-core zod": notRun("tooling/e2e installs the tarballs"),
  "npm install @openclaw/node-core @openclaw/client zod": notRun(
    "tooling/e2e installs the tarballs",
  ),

  "npm start": script,
  "npm start -- --once": script,
  "npm test": script,
  "npm test -- packages/ledger": script,
  "npm run bench": script,
  "npm run bench -- --only rpc,invoke": script,
  "npm run bench -- --only tunnel": script,
  "npm run bench -- --peer 2026.9.6": script,
  "npm run bench -- --profile --only invoke": script,
  "npm run build": script,
  "npm run changeset": script,
  "npm run changeset -- publish": script,
  "npm run changeset -- version": script,
  "npm run check": script,
  "npm run docs": script,
  "npm run format": script,
  "npm run interop": script,
  "npm run pack": script,
};
