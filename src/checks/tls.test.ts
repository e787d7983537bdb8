/** Which connections are secured, and how, as the platform is asked for them. */
import { expect, test } from "vitest";
import type { CheckDefinition } from "../model/index.ts";
import type { TlsOptions } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { start } from "./testkit.ts";

async function tlsOf(fields: Partial<CheckDefinition>): Promise<readonly unknown[]> {
  const platform = simPlatform({ seed: 1 });
  const asked: (TlsOptions | undefined)[] = [];
  const network = {
    bindDatagram: platform.network.bindDatagram.bind(platform.network),
    listen: platform.network.listen.bind(platform.network),
    exchangeDatagram: platform.network.exchangeDatagram.bind(platform.network),
    resolve: platform.network.resolve.bind(platform.network),
    interfaces: platform.network.interfaces.bind(platform.network),
    connect: (_remote: unknown, { tls }: { readonly tls?: TlsOptions }) => {
      asked.push(tls);
      return Promise.reject(new Error("enough"));
    },
  };
  using _run = start({ ...platform, network }, fields);
  await platform.clock.run(1_000);
  return asked;
}

const at = "127.0.0.1:1";
const h2 = { alpn: ["h2"] };
test.each<[Partial<CheckDefinition>, object | undefined]>([
  [{ HTTP: `http://${at}` }, undefined],
  [{ HTTP: `https://${at}` }, { skipVerify: false }],
  [{ HTTP: `https://${at}`, TLSSkipVerify: true }, { skipVerify: true }],
  [
    { HTTP: `https://${at}`, TLSServerName: "web" },
    { skipVerify: false, serverName: "web" },
  ],
  [{ TCP: at }, undefined],
  [
    { TCP: at, TCPUseTLS: true, TLSServerName: "web" },
    { skipVerify: false, serverName: "web" },
  ],
  [{ GRPC: at }, undefined],
  [
    { GRPC: at, GRPCUseTLS: true },
    { skipVerify: false, ...h2 },
  ],
  [
    { GRPC: at, GRPCUseTLS: true, TLSServerName: "w" },
    { skipVerify: false, serverName: "w", ...h2 },
  ],
  [{ H2PING: at }, { skipVerify: false, ...h2 }],
  [
    { H2PING: at, H2PingUseTLS: true, TLSSkipVerify: true },
    { skipVerify: true, ...h2 },
  ],
  [{ H2PING: at, H2PingUseTLS: false }, undefined],
])("%j", async (fields, expected) => {
  expect(await tlsOf(fields)).toStrictEqual([expected]);
});
