/**
 * What Consul 1.8.7 answered, replayed: testdata/catalog.json was registered in it, and for each of its
 * configurations the questions were asked and the answers written down. Where an answer is a random choice,
 * records are compared without their data.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { noLogger } from "../platform/index.ts";
import { simPlatform } from "../platform/sim/index.ts";
import { createHandler } from "./handler.ts";
import {
  FakeCatalog,
  showMessage,
  testConfig,
  testRecursors,
  type Registration,
  type ShownMessage,
  type TestConfig,
} from "./testkit.ts";
import type { Transport } from "./truncate.ts";

interface Recording {
  readonly config: TestConfig;
  readonly server: Registration;
  readonly cases: readonly RecordedCase[];
}
interface RecordedCase {
  readonly question: string;
  readonly transport: Transport;
  /** The packet in hexadecimal. */
  readonly query: string;
  /** Did Consul's own answers differ from each other? */
  readonly drawn: boolean;
  readonly reply: ShownMessage | null;
}

const catalog = load("catalog") as readonly Registration[];

/** Where Rollcall answers otherwise on purpose. */
const DEVIATIONS: Readonly<Record<string, string>> = {
  "_._.service.zone.test SRV": "see below",
  "big.service.zone.test SRV edns=700": "Consul does not count the OPT record and sends 704 bytes",
  "_._.service.consul SRV": "Consul fails on the empty service name; the name just does not exist",
  "LOOP.service.consul A": "Consul's loop guard minds the case and sends a CNAME to the same name",
  "3.2.1.10.in-addr.arpa PTR": "Consul compares texts and misses ::ffff:10.1.2.3",
  "extup.service.consul A": "the shared suffix is spelled as in the question",
  "malformed:hdr": "a header that promises a question without having one is malformed, not refused",
  "malformed:notify": "NOTIFY is not implemented; Consul answers it like a query",
};

for (const scenario of ["defaults", "tuned", "plain", "none"]) {
  const { config, server, cases } = load(scenario) as Recording;
  const platform = simPlatform({ seed: scenario });
  const { clock, random } = platform;
  const recursors = testRecursors(platform);
  const settings = testConfig(config);
  const delegate = new FakeCatalog([server, ...catalog]);
  const handle = createHandler({
    config: () => settings,
    delegate,
    clock,
    random,
    recursors,
    logger: noLogger,
  });

  test.each(
    cases.filter(({ question }) => DEVIATIONS[question.split(" - ")[0] ?? ""] === undefined),
  )(`${scenario}: $question ($transport)`, async ({ query, transport, drawn, reply }) => {
    const bytes = await handle(Buffer.from(query, "hex"), transport);
    const message = bytes?.subarray(transport === "tcp" ? 2 : 0);
    const shown = message === undefined ? null : showMessage(message);
    expect(comparable(shown, drawn)).toEqual(comparable(reply, drawn));
  });
}

function comparable(message: ShownMessage | null, drawn: boolean): ShownMessage | null {
  if (message === null) return null;
  const show = (records: readonly string[]): string[] =>
    records.map((record) => (drawn ? withoutChoice(record) : record)).sort();
  return {
    ...message,
    answer: show(message.answer),
    authority: show(message.authority),
    additional: show(message.additional),
  };
}

/** `web.service.consul. 0 IN A`: which instance it is, in name or data, is a matter of chance. */
function withoutChoice(record: string): string {
  const [name = "", ttl = "", kind = "", type = ""] = record.split(" ");
  const owner = name.replace(/^[^.]+\.(node|addr)\./, "*.$1.");
  return [owner, ttl, kind, type].join(" ");
}

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`testdata/${name}.json`, import.meta.url), "utf8"));
}
