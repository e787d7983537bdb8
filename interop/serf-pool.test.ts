/**
 * Our Serf in one pool with real `serf agent` processes, plain and sealed with keys of each size: both sides agree
 * on who is there, and whatever one side starts reaches the other.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { allSee, keyringOf, OurNode, SerfAgent } from "./serf-testkit.ts";
import { eventually } from "./programs.ts";

const directory = mkdtempSync(join(tmpdir(), "rollcall-serf-"));
afterAll(() => rmSync(directory, { recursive: true }));

const DRESSES = [
  { dress: "plain", subnet: 10, keyBytes: 0 },
  { dress: "AES-128", subnet: 20, keyBytes: 16 },
  { dress: "AES-192", subnet: 30, keyBytes: 24 },
  { dress: "AES-256", subnet: 40, keyBytes: 32 },
] as const;

function addressIn(subnet: number, host: number): string {
  return `127.0.51.${subnet + host}`;
}

function keyFile(name: string, key: Uint8Array | undefined): string {
  const path = join(directory, `${name}.keyring`);
  writeFileSync(path, JSON.stringify([Buffer.from(key ?? []).toString("base64")]));
  return path;
}

/** The command takes keys of other sizes than 32 only from a file. */
function keyFlags(name: string, key: Uint8Array | undefined): readonly string[] {
  return key === undefined ? [] : [`-keyring-file=${keyFile(name, key)}`];
}

/** As `serf query -format=json` prints it. */
interface QueryResult {
  readonly Acks: readonly string[];
  readonly Responses: Readonly<Record<string, string>>;
}

/** Sorted: `name` for an acknowledgement, `name=answer` for an answer. */
async function answersTo({ serf }: OurNode, query: string): Promise<readonly string[]> {
  const answers: string[] = [];
  for await (const answer of serf.query(query, bytes(""), { requestAck: true })) {
    answers.push(answer.kind === "ack" ? answer.from : `${answer.from}=${text(answer.payload)}`);
  }
  return answers.toSorted();
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content));

describe.concurrent("a pool of both", () => {
  test.each(DRESSES)("$dress: members, events, queries, tags, failures, leaves", async (row) => {
    const { dress, subnet, keyBytes } = row;
    const at = (host: number): string => addressIn(subnet, host);
    const key = keyBytes === 0 ? undefined : new Uint8Array(randomBytes(keyBytes));
    const startTheirs = (name: string, host: number, ...flags: readonly string[]): SerfAgent =>
      new SerfAgent(name, at(host), [...keyFlags(`${dress}-${name}`, key), ...flags]);
    const startOurs = (name: string, host: number): Promise<OurNode> =>
      OurNode.start(name, at(host), { ...keyringOf(key), tags: { side: "ours" } });

    await using theirs1 = startTheirs("theirs-1", 1, "-event-handler=query:uptime=echo -n 35m");
    await using theirs2 = startTheirs("theirs-2", 2, `-retry-join=${at(1)}`, "-tag=side=theirs");
    await using ours1 = await startOurs("ours-1", 3);
    await using ours2 = await startOurs("ours-2", 4);
    await Promise.all([theirs1.ready(), theirs2.ready()]);
    await ours1.serf.join([at(1)]);
    expect((await theirs1.command("join", at(4))).code).toBe(0);
    const all = [theirs1, theirs2, ours1, ours2];
    await allSee(all, {
      "theirs-1": "alive",
      "theirs-2": "alive side=theirs",
      "ours-1": "alive side=ours",
      "ours-2": "alive side=ours",
    });

    await theirs2.command("event", "-coalesce=false", "deploy", "v1");
    ours2.serf.fireEvent("restart", bytes("now"));
    await theirs1.logs("Received event: user-event: restart");
    await eventually(
      "ours hear both events",
      async () => [ours1.heard.toSorted(), ours2.heard.toSorted()],
      (heard) => heard.every((events) => events.join(" ") === "deploy:v1 restart:now"),
    );

    await eventually(
      "all acknowledge our query, and who has an answer gives it",
      () => answersTo(ours1, "uptime"),
      (answers) => answers.join(" ") === "ours-1 ours-2 theirs-1 theirs-1=35m theirs-2",
    );

    using _answers = ours2.serf.subscribe((event) => {
      if (event.kind !== "query" || event.query.name !== "load") return;
      event.query.respond(bytes(`${text(event.query.payload)}=0.5`));
    });
    const load = ["-format=json", "-tag=side=^ou", "-relay-factor=1", "-timeout=2s", "load", "1m"];
    await eventually(
      "ours acknowledge their query, and one answers",
      async () => JSON.parse((await theirs2.command("query", ...load)).stdout) as QueryResult,
      ({ Acks, Responses }) =>
        Acks.toSorted().join(" ") === "ours-1 ours-2" &&
        JSON.stringify(Responses) === '{"ours-2":"1m=0.5"}',
    );

    await Promise.all([
      ours1.serf.setTags({ side: "ours", role: "web" }),
      theirs1.command("tags", "-set=role=db"),
    ]);
    await allSee(all, { "ours-1": "alive role=web side=ours", "theirs-1": "alive role=db" });

    await Promise.all([theirs2.program.end("SIGKILL"), ours2[Symbol.asyncDispose]()]);
    await allSee([theirs1, ours1], {
      "theirs-2": "failed side=theirs",
      "ours-2": "failed side=ours",
    });
    await using theirs2Again = startTheirs("theirs-2", 2, `-retry-join=${at(3)}`);
    await using ours2Again = await startOurs("ours-2", 4);
    await theirs2Again.ready();
    await ours2Again.serf.join([at(1)]);
    await allSee([theirs1, ours1, theirs2Again, ours2Again], {
      "theirs-2": "alive",
      "ours-2": "alive side=ours",
    });

    await Promise.all([theirs2Again.command("leave"), ours2Again.serf.leave()]);
    await allSee([theirs1, ours1], { "theirs-2": "left", "ours-2": "left side=ours" });
  });

  test("a key is rotated from either side", async () => {
    const at = (host: number): string => addressIn(50, host);
    const [first, second, third] = [16, 24, 32].map((size) => new Uint8Array(randomBytes(size)));
    const base64 = (key?: Uint8Array): string => Buffer.from(key ?? []).toString("base64");
    const [theirKeys, ourKeys] = [keyFile("rotated-theirs", first), keyFile("rotated-ours", first)];
    await using theirs1 = new SerfAgent("theirs-1", at(1), [`-keyring-file=${theirKeys}`]);
    await using theirs2 = new SerfAgent("theirs-2", at(2), keyFlags("rotated-theirs-2", first));
    await using ours = await OurNode.start("ours", at(3), {
      ...keyringOf(first),
      keyringFile: ourKeys,
    });
    await Promise.all([theirs1.ready(), theirs2.ready()]);
    await ours.serf.join([at(1), at(2)]);
    await allSee([theirs1, theirs2, ours], {
      "theirs-1": "alive",
      "theirs-2": "alive",
      ours: "alive",
    });

    const { keys } = ours.serf;
    const fromOurs = [
      () => keys.install(second ?? new Uint8Array()),
      () => keys.use(second ?? new Uint8Array()),
      () => keys.remove(first ?? new Uint8Array()),
    ];
    for (const ask of fromOurs) {
      const outcome = await eventually("all do it", ask, ({ failure }) => failure === undefined);
      expect(outcome).toMatchObject({ nodeCount: 3, responseCount: 3 });
    }
    const listed = (await theirs2.command("keys", "-list")).stdout.replaceAll(/\s+/g, " ");
    expect(listed).toContain(`${base64(second)} [3/3]`);
    expect(JSON.parse(readFileSync(theirKeys, "utf8"))).toEqual([base64(second)]);

    for (const change of [
      `-install=${base64(third)}`,
      `-use=${base64(third)}`,
      `-remove=${base64(second)}`,
    ]) {
      await eventually(
        `all do it: ${change}`,
        () => theirs1.command("keys", change),
        ({ code }) => code === 0,
      );
    }
    expect(JSON.parse(readFileSync(ourKeys, "utf8"))).toEqual([base64(third)]);
    expect(await keys.list()).toMatchObject({
      failure: undefined,
      keys: new Map([[base64(third), 3]]),
      primaryKeys: new Map([[base64(third), 3]]),
    });

    await theirs1.command("event", "sealed", "anew");
    await eventually(
      "we understand the new key",
      async () => ours.heard,
      (heard) => heard.includes("sealed:anew"),
    );
  });

  test("three kilobytes of old events come with a join, compressed, both ways", async () => {
    const at = (host: number): string => addressIn(60, host);
    await using theirs = new SerfAgent("theirs", at(1), []);
    await using ours = await OurNode.start("ours", at(2));
    await theirs.ready();
    const payloadOf = (index: number): string => `${index}-${"payload ".repeat(40)}`;
    const indexes = Array.from({ length: 10 }, (_, index) => index);
    for (const index of indexes) {
      ours.serf.fireEvent(`ours-${index}`, bytes(payloadOf(index)));
      await theirs.command("event", "-coalesce=false", `theirs-${index}`, payloadOf(index));
    }

    await ours.serf.join([at(1)]);
    const theirEvents = indexes.map((index) => `theirs-${index}:${payloadOf(index)}`);
    expect(ours.heard).toEqual(expect.arrayContaining(theirEvents));

    await eventually(
      "nothing is left to gossip",
      async () => (await theirs.command("info")).stdout + JSON.stringify(ours.serf.stats()),
      (stats) => stats.includes("event_queue = 0") && stats.includes('"event_queue":0'),
    );

    await using late = new SerfAgent("late", at(3), []);
    await late.ready();
    expect((await late.command("join", "-replay", at(2))).code).toBe(0);
    for (const index of indexes) {
      await late.logs(`Received event: user-event: ours-${index}`);
      await late.logs(`Received event: user-event: theirs-${index}`);
    }
  });
});
