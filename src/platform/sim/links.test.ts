/** Two or three machines with addresses of their own, in virtual time, and what can happen between them. */
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { HostClock, simPlatform } from "./index.ts";
import type { LinkConditions } from "./links.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const PORT = 7946;
const NEVER = new AbortController().signal;

async function world(seed: number | string = 1) {
  const { clock, network } = simPlatform({ seed });
  const start = clock.now();
  const received: string[] = [];
  const at = (host: string) => network.at(host);
  const note = (host: string) => (bytes: Uint8Array, from: { readonly host: string }) => {
    const text = Buffer.from(bytes).toString();
    received.push(`${host} ${text} from ${from.host} at ${Math.round(clock.now() - start)}`);
  };
  const a = await at(A).bindDatagram({ host: "0.0.0.0", port: 7000 }, note("a"));
  const b = await at(B).bindDatagram({ host: B, port: PORT }, note("b"));
  const send = (text: string) => a.send(Buffer.from(text), { host: B, port: PORT });
  const reply = (text: string) => b.send(Buffer.from(text), { host: A, port: 7000 });
  const texts = () => received.map((line) => line.split(" ")[1] ?? "");
  return { clock, network, links: network.links, received, texts, send, reply, at };
}

async function streamTo(w: Awaited<ReturnType<typeof world>>) {
  const arrived: string[] = [];
  const start = w.clock.now();
  const listener = await w.at(B).listen({ host: B, port: PORT }, (stream) => {
    stream.on("data", (chunk: Buffer) => {
      arrived.push(`${chunk.toString()} at ${Math.round(w.clock.now() - start)}`);
    });
  });
  const dial = (): Promise<Duplex> => w.at(A).connect({ host: B, port: PORT }, { signal: NEVER });
  return { arrived, dial, listener };
}

test("without conditions everything arrives at once and in order, and says where it comes from", async () => {
  const w = await world();
  for (const text of ["1", "2", "3"]) w.send(text);
  await w.clock.settle();
  expect(w.received).toEqual(["1", "2", "3"].map((text) => `b ${text} from ${A} at 0`));
});

describe("datagrams", () => {
  test("travel for as long as their link takes, and only in that direction", async () => {
    const w = await world();
    using _slow = w.links.between(A, B, { latency: { kind: "fixed", ms: 30 } });
    w.send("there");
    w.reply("back");
    await w.clock.run(100);
    expect(w.received).toEqual([`a back from ${B} at 0`, `b there from ${A} at 30`]);
  });

  test("overtake each other when their latencies differ", async () => {
    const w = await world();
    using _jitter = w.links.everywhere({ latency: { kind: "uniform", minMs: 1, maxMs: 100 } });
    const sent = Array.from({ length: 50 }, (_, i) => String(i));
    for (const text of sent) w.send(text);
    await w.clock.run(1000);
    expect(w.texts()).not.toEqual(sent);
    expect([...w.texts()].sort()).toEqual([...sent].sort());
  });

  test.each<[string, LinkConditions, number, number]>([
    ["are lost", { lossRatio: 0.3 }, 650, 750],
    ["come twice", { duplicateRatio: 0.3 }, 1250, 1350],
    ["never come", { lossRatio: 1 }, 0, 0],
    ["have a long tail", { latency: { kind: "tailed", minMs: 1, meanMs: 10 } }, 1000, 1000],
  ])("%s as often as is said", async (_name, conditions, least, most) => {
    const w = await world();
    using _bad = w.links.everywhere(conditions);
    for (let i = 0; i < 1000; i += 1) w.send("x");
    await w.clock.run(10_000);
    expect(w.received.length).toBeGreaterThanOrEqual(least);
    expect(w.received.length).toBeLessThanOrEqual(most);
  });

  test("wait for a narrow link, and are lost when they would wait too long", async () => {
    const w = await world();
    using _narrow = w.links.everywhere({ bytesPerS: 1000 });
    for (let i = 0; i < 30; i += 1) w.send("x".repeat(100));
    await w.clock.run(10_000);
    expect(w.received).toHaveLength(11);
    expect(w.received.map((line) => Number(line.split(" ").at(-1)))).toEqual(
      Array.from({ length: 11 }, (_, i) => 100 * (i + 1)),
    );
  });

  test("do not pass a partition, nor a cut in its direction; both heal", async () => {
    const w = await world();
    {
      using _cut = w.links.cut([A], [B]);
      w.send("1");
      w.reply("2");
    }
    {
      using _partition = w.links.partition([A], [B]);
      w.send("3");
      w.reply("4");
    }
    w.send("5");
    w.reply("6");
    await w.clock.settle();
    expect(w.texts()).toEqual(["2", "5", "6"]);
  });

  test("meet with the newest fault first", async () => {
    const w = await world();
    using _late = w.links.fault(() => ({ delayMs: 5 }));
    {
      using _drop = w.links.fault(({ bytes }) => (bytes > 3 ? "drop" : "pass"));
      w.send("long");
      w.send("abc");
    }
    w.send("long");
    await w.clock.run(10);
    expect(w.received).toEqual([`b abc from ${A} at 5`, `b long from ${A} at 5`]);
  });

  test("to the own host meet with nothing", async () => {
    const w = await world();
    using _bad = w.links.everywhere({ lossRatio: 1, latency: { kind: "fixed", ms: 50 } });
    const arrived: string[] = [];
    await w
      .at(A)
      .bindDatagram({ host: A, port: 9 }, (bytes) => arrived.push(Buffer.from(bytes).toString()));
    const sender = await w.at(A).bindDatagram({ host: A, port: 0 }, () => {});
    sender.send(Buffer.from("x"), { host: A, port: 9 });
    await w.clock.settle();
    expect(arrived).toEqual(["x"]);
  });
});

describe("a stream", () => {
  test("opens in a round trip and keeps its bytes in order, whatever the latency and loss", async () => {
    const w = await world();
    const { arrived, dial } = await streamTo(w);
    using _bad = w.links.everywhere({
      latency: { kind: "uniform", minMs: 1, maxMs: 100 },
      lossRatio: 0.2,
    });
    const stream = await w.clock.until(dial());
    const sent = Array.from({ length: 30 }, (_, i) => String(i));
    for (const text of sent) stream.write(text);
    await w.clock.run(60_000);
    expect(arrived.map((line) => line.split(" ")[0]).join("")).toBe(sent.join(""));
  });

  test("keeps its order where nothing waits for what was sent before", async () => {
    const w = await world();
    const lane = w.links.lane(A, B);
    const arrived: number[] = [];
    {
      using _jitter = w.links.everywhere({ latency: { kind: "uniform", minMs: 0, maxMs: 100 } });
      for (let i = 0; i < 50; i += 1) lane(1, () => arrived.push(i));
    }
    for (let i = 50; i < 100; i += 1) lane(1, () => arrived.push(i));
    await w.clock.run(1000);
    expect(arrived).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("needs no time, and no timer, where nothing is between its ends", async () => {
    const w = await world();
    const { arrived, dial } = await streamTo(w);
    const stream = await dial();
    for (const text of ["1", "2", "3"]) stream.write(text);
    stream.end();
    await w.clock.settle();
    expect(arrived.join(" ")).toMatch(/^1 at 0 .*3 at 0$/);
    expect(w.clock.timerCount).toBe(0);
  });

  test("waits for a partition to heal", async () => {
    const w = await world();
    const { arrived, dial } = await streamTo(w);
    const stream = await dial();
    {
      using _partition = w.links.partition([A], [B]);
      stream.write("1");
      await w.clock.run(5000);
      expect(arrived).toEqual([]);
    }
    await w.clock.settle();
    expect(arrived).toEqual(["1 at 5000"]);
  });

  test("does not open through a partition, until it heals or the caller gives up", async () => {
    const w = await world();
    const { dial } = await streamTo(w);
    const controller = new AbortController();
    const partition = w.links.partition([A], [B]);
    const given = w.at(A).connect({ host: B, port: PORT }, { signal: controller.signal });
    const waiting = dial();
    controller.abort(new Error("i/o timeout"));
    await expect(given).rejects.toThrow("i/o timeout");
    await w.clock.run(1000);
    partition[Symbol.dispose]();
    (await w.clock.until(waiting)).destroy();
  });
});

describe("a process", () => {
  test("that is paused hears and does nothing until it goes on, and then all of it", async () => {
    const w = await world();
    const { arrived, dial } = await streamTo(w);
    const stream = await dial();
    const clock = new HostClock(w.clock, w.links, B);
    const ticks: number[] = [];
    const start = clock.now();
    clock.after(10, () => ticks.push(clock.now() - start));
    const never = clock.after(20, () => ticks.push(-1));
    {
      using _paused = w.links.pause(B);
      w.send("1");
      w.send("2");
      stream.write("3");
      await w.clock.run(3000);
      never[Symbol.dispose]();
      expect([w.received, arrived, ticks]).toEqual([[], [], []]);
    }
    await w.clock.settle();
    expect(w.texts()).toEqual(["1", "2"]);
    expect(arrived).toEqual(["3 at 3000"]);
    expect(ticks).toEqual([3000]);
  });

  test("that is paused for long has a buffer that overflows", async () => {
    const w = await world();
    {
      using _paused = w.links.pause(B);
      for (let i = 0; i < 1000; i += 1) w.send("x");
      await w.clock.settle();
    }
    await w.clock.settle();
    expect(w.received).toHaveLength(256);
  });

  test("that is slow does everything later", async () => {
    const w = await world();
    const clock = new HostClock(w.clock, w.links, B);
    using _slow = w.links.slow(B, 40);
    const start = clock.now();
    let firedAt = 0;
    clock.after(10, () => (firedAt = clock.now() - start));
    w.send("1");
    w.reply("2");
    await w.clock.run(100);
    expect(firedAt).toBe(50);
    expect(w.received).toEqual([`a 2 from ${B} at 0`, `b 1 from ${A} at 40`]);
  });

  test("that restarts may have another address", async () => {
    const w = await world();
    const moved = "10.0.0.9";
    const arrived: string[] = [];
    const before = await w.at(B).bindDatagram({ host: "0.0.0.0", port: 8301 }, () => {});
    await before[Symbol.asyncDispose]();
    await w.at(moved).bindDatagram({ host: "0.0.0.0", port: 8301 }, (bytes, from) => {
      arrived.push(`${Buffer.from(bytes).toString()} from ${from.host}`);
    });
    const sender = await w.at(A).bindDatagram({ host: "0.0.0.0", port: 0 }, () => {});
    sender.send(Buffer.from("x"), { host: moved, port: 8301 });
    await w.clock.settle();
    expect(arrived).toEqual([`x from ${A}`]);
    expect(w.at(moved).interfaces()).toContainEqual({
      name: "eth0",
      address: moved,
      internal: false,
    });
  });
});

describe("the trace", () => {
  const runOf = async (seed: number) => {
    const w = await world(seed);
    const { dial } = await streamTo(w);
    using _bad = w.links.everywhere({
      latency: { kind: "tailed", minMs: 1, meanMs: 20 },
      lossRatio: 0.1,
      duplicateRatio: 0.1,
      bytesPerS: 100_000,
    });
    const stream = await w.clock.until(dial());
    for (let i = 0; i < 200; i += 1) {
      w.send(`${i}`);
      w.reply(`${i}`);
      stream.write(`${i}`);
      if (i === 100) {
        using _partition = w.links.partition([A], [B]);
        await w.clock.run(500);
      }
      await w.clock.run(3);
    }
    await w.clock.run(60_000);
    return { hash: w.links.traceHash, received: w.received };
  };

  test("is the same for the same seed, and another for another", async () => {
    const [one, same, other] = [await runOf(41), await runOf(41), await runOf(42)];
    expect(same).toEqual(one);
    expect(one.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(other.hash).not.toBe(one.hash);
    expect(other.received).not.toEqual(one.received);
  });
});
