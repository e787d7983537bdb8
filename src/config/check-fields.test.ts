/** A check in a file and the same check in the body of a registration are the same definition. */
import { expect, test } from "vitest";
import { CheckDefinition, jsonDecoder, SECOND } from "../model/index.ts";
import { loadConfig } from "./load.ts";
import { machine } from "./testkit.ts";

const fromJson = jsonDecoder(CheckDefinition, { unknown: "refuse" });

async function fromFile(fields: string): Promise<unknown> {
  const platform = await machine({ "/etc/a.hcl": `check { ${fields} }` });
  const argv = ["-dev", "-config-file=/etc/a.hcl"];
  return (await loadConfig({ argv, platform })).config.checks[0];
}

test.each<[string, string, Partial<CheckDefinition>]>([
  [
    'http = "a"\n disable_redirects = true',
    '"HTTP":"a","DisableRedirects":true',
    { HTTP: "a", DisableRedirects: true },
  ],
  ['tcp = "a"\n tcp_use_tls = true', '"TCP":"a","TCPUseTLS":true', { TCP: "a", TCPUseTLS: true }],
  ['udp = "a"', '"UDP":"a"', { UDP: "a" }],
  ['h2ping = "a"', '"H2PING":"a"', { H2PING: "a", H2PingUseTLS: null }],
  [
    'h2ping = "a"\n h2ping_use_tls = false',
    '"H2PING":"a","H2PingUseTLS":false',
    { H2PING: "a", H2PingUseTLS: false },
  ],
  ['os_service = "a"', '"OSService":"a"', { OSService: "a" }],
  ['tls_server_name = "a"', '"TLSServerName":"a"', { TLSServerName: "a" }],
  ["failures_before_warning = 2", '"FailuresBeforeWarning":2', { FailuresBeforeWarning: 2 }],
  ['start_period = "30s"', '"StartPeriod":"30s"', { StartPeriod: 30 * SECOND }],
  ['initial_delay = "5s"', '"InitialDelay":"5s"', { InitialDelay: 5 * SECOND }],
  ['start_period = "1s"', '"start_period":"1s"', { StartPeriod: SECOND }],
])("%s", async (inFile, inBody, expected) => {
  const definition = await fromFile(inFile);
  expect(definition).toMatchObject(expected);
  expect(fromJson(`{${inBody}}`)).toEqual(definition);
});

test("a duration that is none is refused, naming the check and the field", async () => {
  await expect(fromFile('id = "c"\n start_period = "soon"')).rejects.toThrow(
    /check\[c\]\.start_period/,
  );
});
