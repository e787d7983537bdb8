/**
 * Kept replies are right: after any history of writes, what DNS answers from kept readings and kept bytes is what a
 * handler that kept nothing answers from the same state, also for names that lead to other names.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RuntimeConfig } from "../config/index.ts";
import { NODES, QUERIES, randomCommand, SERVICES } from "../endpoints/random-commands.ts";
import { afresh, endpointsUnderTest, registration } from "../endpoints/testkit.ts";
import type { Command } from "../model/index.ts";
import { noLogger, type Clock } from "../platform/index.ts";
import { SimRandom } from "../platform/sim/index.ts";
import type { Delegate } from "../rpc/index.ts";
import { createHandler, type Handle } from "./handler.ts";
import { query, showMessage, testConfig, testRecursors, type ShownMessage } from "./testkit.ts";

/**
 * Names that addresses may be: of our domain, of others, and what may turn out to be the question itself. One for
 * all in a history, as of several the one that is followed is drawn.
 */
const TARGETS = [
  "web.service.consul",
  "DB.service.consul",
  "n2.node.consul",
  "ghost.service.consul",
  "example.com",
] as const;
const namedAs = (target: string): fc.Arbitrary<Command> =>
  fc
    .record({
      node: fc.constantFrom(...NODES),
      service: fc.constantFrom(...SERVICES),
      of: fc.constantFrom("node", "service"),
      tagged: fc.boolean(),
    })
    .map(({ node, service, of, tagged }): Command => {
      const TaggedAddresses = tagged ? { lan_ipv4: { Address: "10.1.0.1", Port: 1 } } : null;
      const Address = of === "service" ? target : "";
      const address = of === "node" ? target : "10.0.0.3";
      const Service = { ID: "named", Service: service, Address, TaggedAddresses };
      return { type: "Register", body: registration(node, { address, service: Service }) };
    });
const servers = fc.constantFrom(...NODES).map((node): Command => ({
  type: "Register",
  body: registration(node, { service: { ID: "consul", Service: "consul" } }),
}));
const commandWith = (target: string): fc.Arbitrary<Command> =>
  fc.oneof(
    { weight: 5, arbitrary: randomCommand },
    { weight: 2, arbitrary: namedAs(target) },
    { weight: 1, arbitrary: servers },
  );

const NAMES = [
  ...[...SERVICES, "ghost"].flatMap((service) => [
    `${service}.service.consul`,
    `v1.${service}.service.dc1.consul`,
    `_${service}._v1.service.consul`,
    `_${service}._tcp.consul`,
  ]),
  ...[...NODES, "ghost"].map((node) => `${node}.node.consul`),
  ...[...QUERIES, "find", "find-web", "other"].map((name) => `${name}.query.consul`),
  ...["1.0.0.10", "2.0.0.10", "9.0.0.10"].map((reversed) => `${reversed}.in-addr.arpa`),
  "0a000001.addr.consul",
  "consul",
];
const TYPES = ["A", "AAAA", "SRV", "TXT", "ANY", "NS", "SOA", "PTR", "MX"] as const;
interface Asked {
  readonly name: string;
  readonly type: (typeof TYPES)[number];
  readonly isShouted: boolean;
  /** Undefined: plain UDP, where which answers there is room for is chance. */
  readonly edns: number | undefined;
}
const asked: fc.Arbitrary<Asked> = fc.record({
  name: fc.oneof(
    fc.constantFrom(...NAMES),
    fc.constantFrom(...SERVICES).map((service) => `${service}.service.consul`),
  ),
  type: fc.oneof(fc.constantFrom(...TYPES), fc.constantFrom("A", "SRV")),
  isShouted: fc.boolean(),
  edns: fc.constantFrom(undefined, 4096, 4096),
});

/** All that a name leads to is followed. */
const udpAnswerLimit = 8;
const CONFIGS: readonly RuntimeConfig[] = [
  { udpAnswerLimit },
  { udpAnswerLimit, disableCompression: true, onlyPassing: true, serviceTtlS: { "w*": 7 } },
  { udpAnswerLimit, enableAdditionalNodeMetaTxt: false, nodeTtlS: 3 },
].map((dns) => testConfig({ dns }));

interface Ground {
  readonly delegate: Delegate;
  readonly clock: Clock;
  readonly config: RuntimeConfig;
}
function handlerOver({ delegate, clock, config }: Ground): Handle {
  return createHandler({
    config: () => config,
    delegate,
    clock,
    random: new SimRandom("kept replies"),
    logger: noLogger,
    recursors: noRecursors,
  });
}
const noRecursors = testRecursors(endpointsUnderTest().platform);

async function ask(handle: Handle, { name, type, isShouted, edns }: Asked): Promise<ShownMessage> {
  const spelled = isShouted ? name.toUpperCase() : name;
  const bytes = query(spelled, type, edns === undefined ? {} : { edns });
  return showMessage((await handle(bytes, "udp")) ?? expect.fail("no reply"));
}

/** What does not depend on chance. */
function certain(message: ShownMessage, { edns }: Asked): unknown {
  const { rcode, flags, question, answer, additional } = message;
  const authority = message.authority.toSorted();
  if (edns === undefined) return { rcode, flags, question, count: answer.length, authority };
  const inOrder = { answer: answer.toSorted(), additional: additional.toSorted() };
  return { rcode, flags, question, authority, ...inOrder };
}

test("every kept reply is what a fresh handler answers from the same state", async () => {
  let answers = 0;
  let misses = 0;
  const histories = fc.constantFrom(...TARGETS).chain((target) =>
    fc.record({
      commands: fc.array(commandWith(target), { minLength: 15, maxLength: 30 }),
      /** Asked after each of them. */
      questions: fc.array(asked, { minLength: 15, maxLength: 15 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(histories, fc.constantFrom(...CONFIGS), async (history, config) => {
      const kept = endpointsUnderTest();
      const { clock } = kept.platform;
      const keeping = handlerOver({ delegate: kept.delegate, clock, config });
      for (const command of history.commands) {
        kept.apply(command);
        // Reverse names of services may be a second old.
        clock.advance(1000);
        const fresh = afresh(kept.store);
        for (const question of history.questions) {
          const known = await ask(keeping, question);
          const again = await ask(keeping, question);
          const expected = await ask(handlerOver({ delegate: fresh, clock, config }), question);
          const name = `${question.name} ${question.type} after ${command.type}`;
          expect(certain(known, question), name).toEqual(certain(expected, question));
          expect(certain(again, question), name).toEqual(certain(expected, question));
          if (known.answer.length > 0) answers += 1;
          else misses += 1;
        }
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
  expect(answers).toBeGreaterThan(1000);
  expect(misses).toBeGreaterThan(1000);
});
