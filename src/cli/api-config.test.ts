import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RollcallError } from "../errors/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { parseApiAddress, readApiConfig, type ApiConfig } from "./api-config.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import type { CommandContext } from "./command.ts";
import { parseCommandFlags } from "./flags.ts";

const pem = (name: string): string => `-----BEGIN TEST-----\n${name}\n-----END TEST-----`;
const flagTable = [...clientFlags, ...serverFlags, namespaceFlag];

async function configOf(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly config: ApiConfig; readonly stderr: string }> {
  const platform = simPlatform({ seed: 1 });
  for (const [name, value] of Object.entries(env)) platform.host.setEnv(name, value);
  await platform.disk.makeDirectory("/pem");
  for (const name of ["a", "b", "key", "token", "blank"]) {
    const text = { token: " from-file\n", blank: " \n" }[name] ?? pem(name);
    await platform.disk.replace(`/pem/${name}`, Buffer.from(text));
  }
  await platform.disk.makeDirectory("/certificates");
  for (const name of ["a", "b"]) {
    await platform.disk.replace(`/certificates/${name}`, Buffer.from(pem(name)));
  }
  let stderr = "";
  const line = parseCommandFlags(flagTable, argv);
  const context: CommandContext = {
    ...line,
    platform,
    argv,
    stdout: () => {},
    stderr: (text) => void (stderr += text),
    program: "rollcall",
    readStdin: () => Promise.resolve(new Uint8Array()),
    readLine: () => Promise.resolve(""),
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    startChild: () => Promise.reject(new Error("no program was scripted")),
  };
  return { config: await readApiConfig(context), stderr };
}

describe("addresses", () => {
  test.each([
    ["127.0.0.1:8500", "http://127.0.0.1:8500", { host: "127.0.0.1", port: 8500 }, ""],
    ["http://consul.example", "http://consul.example", { host: "consul.example", port: 80 }, ""],
    ["https://consul.example", "https://consul.example", { host: "consul.example", port: 443 }, ""],
    [":8500", "http://:8500", { host: "127.0.0.1", port: 8500 }, ""],
    ["[::1]:8500", "http://[::1]:8500", { host: "::1", port: 8500 }, ""],
    ["https://h:1/consul/", "https://h:1", { host: "h", port: 1 }, "/consul"],
    ["unix:///run/a b.sock", "http://%2Frun%2Fa%20b.sock", { path: "/run/a b.sock" }, ""],
  ])("%s", (address, origin, remote, pathPrefix) => {
    const parsed = parseApiAddress(address, { ssl: false, tls: {} });
    expect(parsed).toEqual({
      origin,
      remote,
      pathPrefix,
      tls: address.startsWith("https") ? {} : undefined,
    });
  });

  test.each([
    ["ftp://x:1", "Unknown protocol scheme: ftp"],
    [":", 'not the address of an agent: ":"'],
    ["h:99999", 'not the address of an agent: "h:99999"'],
    ["h:port", 'not the address of an agent: "h:port"'],
    ["http://", 'not the address of an agent: "http://"'],
  ])("%s is refused", (address, message) => {
    expect(() => parseApiAddress(address, { ssl: false, tls: {} })).toThrow(
      new RollcallError("config/invalid", message),
    );
  });

  test("any text is an address or refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, ssl) => {
        try {
          expect(parseApiAddress(text, { ssl, tls: {} }).origin).toMatch(/^https?:\/\//);
        } catch (error) {
          expect(error).toBeInstanceOf(RollcallError);
        }
      }),
    );
  });
});

describe("settings", () => {
  test("without any: the agent on this machine, nothing sent along", async () => {
    expect(await configOf([])).toEqual({
      config: {
        origin: "http://127.0.0.1:8500",
        pathPrefix: "",
        remote: { host: "127.0.0.1", port: 8500 },
        tls: undefined,
        headers: {},
        query: [],
        stale: false,
      },
      stderr: "",
    });
  });

  test("flags win over the environment, and a token file over a token", async () => {
    const env = { CONSUL_HTTP_ADDR: "env:1", CONSUL_HTTP_TOKEN: "env", CONSUL_NAMESPACE: "env" };
    const fromEnv = (await configOf([], env)).config;
    expect(fromEnv.origin).toBe("http://env:1");
    expect(fromEnv.headers).toEqual({ "X-Consul-Token": "env" });
    expect(fromEnv.query).toEqual([["ns", "env"]]);

    const argv = [
      "-http-addr=flag:2",
      "-token=flag",
      "-namespace=flag",
      "-datacenter=dc2",
      "-stale",
    ];
    const fromFlags = (await configOf(argv, env)).config;
    expect(fromFlags.origin).toBe("http://flag:2");
    expect(fromFlags.headers).toEqual({ "X-Consul-Token": "flag" });
    expect(fromFlags.query).toEqual([
      ["dc", "dc2"],
      ["ns", "flag"],
    ]);
    expect(fromFlags.stale).toBe(true);

    const emptied = (await configOf(["-token=", "-namespace="], env)).config;
    expect(emptied.headers).toEqual({ "X-Consul-Token": "env" });
    expect(emptied.query).toEqual([]);

    const fromFile = (await configOf([...argv, "-token-file=/pem/token"], env)).config;
    expect(fromFile.headers).toEqual({ "X-Consul-Token": "from-file" });
    const blank = (await configOf(["-token-file=/pem/blank"], env)).config;
    expect(blank.headers).toEqual({ "X-Consul-Token": "env" });
  });

  test.each([
    ["user:pass word", "user:pass word"],
    ["user", "user:"],
  ])("CONSUL_HTTP_AUTH=%s", async (auth, credentials) => {
    const { config } = await configOf([], { CONSUL_HTTP_AUTH: auth });
    const base64 = Buffer.from(credentials).toString("base64");
    expect(config.headers).toEqual({ Authorization: `Basic ${base64}` });
  });

  test("TLS: certificates are read, and http:// does not undo CONSUL_HTTP_SSL", async () => {
    const argv = ["-ca-file=/pem/a", "-client-cert=/pem/b", "-client-key=/pem/key"];
    const { config } = await configOf([...argv, "-http-addr=http://h"], {
      CONSUL_HTTP_SSL: "true",
      CONSUL_HTTP_SSL_VERIFY: "false",
      CONSUL_TLS_SERVER_NAME: "name",
    });
    expect(config.origin).toBe("https://h");
    expect(config.remote).toEqual({ host: "h", port: 443 });
    expect(config.tls).toEqual({
      ca: pem("a"),
      cert: pem("b"),
      key: pem("key"),
      serverName: "name",
      skipVerify: true,
    });
  });

  test("-ca-path: every file in the directory", async () => {
    const { config } = await configOf(["-ca-path=/certificates", "-http-addr=https://h"]);
    expect(config.tls?.ca).toBe(`${pem("a")}\n${pem("b")}`);
  });

  test.each([
    [["-token-file=/pem"], "Error loading token file: read /pem: is a directory"],
    [["-ca-file=/pem"], "Error loading CA File: read /pem: is a directory"],
    [["-ca-file=/pem/token"], "Error loading CA File: Couldn't parse PEM in: /pem/token"],
    [["-ca-path=/pem"], "Error loading CA File: Couldn't parse PEM in: /pem/blank"],
    [
      ["-client-cert=/pem/token", "-client-key=/pem/key"],
      "tls: failed to find any PEM data in certificate input",
    ],
    [["-client-key=/pem/key"], "both client cert and client key must be provided"],
  ])("%j is refused", async (argv, message) => {
    await expect(configOf(argv)).rejects.toThrow(new RollcallError("config/invalid", message));
  });

  test("a switch that is no boolean is reported and left aside", async () => {
    const { config, stderr } = await configOf([], { CONSUL_HTTP_SSL: "maybe" });
    expect(config.origin).toBe("http://127.0.0.1:8500");
    expect(stderr).toBe(
      'could not parse CONSUL_HTTP_SSL: strconv.ParseBool: parsing "maybe": invalid syntax\n',
    );
  });

  test("a token that no header can carry is refused", async () => {
    await expect(configOf(["-token=a\nX-Evil: b"])).rejects.toThrow(
      "net/http: invalid header field value for key X-Consul-Token",
    );
  });
});
