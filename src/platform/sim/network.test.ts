import { createServer, request } from "node:http";
import { expect, test } from "vitest";
import { simPlatform } from "./index.ts";

const NEVER = new AbortController().signal;

test("HTTP runs over simulated streams, with a timer of the server's in virtual time", async () => {
  const { clock, network } = simPlatform({ seed: 1 });
  const server = createServer((incoming, answer) => {
    incoming.resume();
    clock.after(30_000, () => answer.end(`${incoming.method} ${incoming.url}`));
  });
  await using listener = await network.listen({ host: "127.0.0.1", port: 8500 }, (stream) =>
    server.emit("connection", stream),
  );
  if ("path" in listener.address) throw new Error("not a path");
  const stream = await network.connect(listener.address, { signal: NEVER });
  const start = clock.now();
  const body = new Promise<string>((resolve, reject) => {
    const outgoing = request({ path: "/v1/kv/a", method: "PUT", createConnection: () => stream });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    outgoing.end("x".repeat(100_000));
  });
  expect(await clock.until(body)).toBe("PUT /v1/kv/a");
  expect(clock.now() - start).toBe(30_000);
});

test("who dials a silent host waits for their signal; then it answers again", async () => {
  const { network } = simPlatform({ seed: 1 });
  await using listener = await network.listen({ host: "10.0.0.1", port: 80 }, () => {});
  const remote = { host: "10.0.0.1", port: 80 };
  expect(listener.address).toEqual(remote);
  {
    using _silence = network.silence("10.0.0.1");
    const controller = new AbortController();
    const connecting = network.connect(remote, { signal: controller.signal });
    controller.abort(new Error("i/o timeout"));
    await expect(connecting).rejects.toThrow("i/o timeout");
  }
  const stream = await network.connect(remote, { signal: NEVER });
  stream.destroy();
});

test("only known names are found", async () => {
  const { network } = simPlatform({ seed: 1 });
  network.addName("db.internal", "10.0.0.9");
  await expect(
    network.connect({ host: "db.internal", port: 5432 }, { signal: NEVER }),
  ).rejects.toThrow("dial tcp 10.0.0.9:5432: connect: connection refused");
  await expect(network.connect({ host: "nosuch", port: 1 }, { signal: NEVER })).rejects.toThrow(
    "dial tcp: lookup nosuch: no such host",
  );
});

test.each([
  ["0.0.0.0", "127.0.0.1", true],
  ["127.0.0.1", "0.0.0.0", true],
  ["::", "127.0.0.1", true],
  ["127.0.0.1", "::", true],
  ["0.0.0.0", "::1", false],
  ["127.0.0.1", "127.0.0.2", false],
])("with %s bound, %s on the same port is taken: %s", async (first, second, taken) => {
  const { network } = simPlatform({ seed: 1 });
  await network.listen({ host: first, port: 80 }, () => {});
  const binding = network.listen({ host: second, port: 80 }, () => {});
  if (taken) await expect(binding).rejects.toThrow("address already in use");
  else await expect(binding).resolves.toBeDefined();
});

test("platforms beside each other share time and network, not disk or chance", async () => {
  const one = simPlatform({ seed: 1, hostname: "one" });
  const two = simPlatform({ seed: 2, hostname: "two", beside: one });
  expect(two.clock).toBe(one.clock);
  const arrived = new Promise<string>((resolve) => {
    void two.network.bindDatagram({ host: "127.0.0.2", port: 53 }, (bytes, from) =>
      resolve(`${Buffer.from(bytes).toString()} from ${from.host}`),
    );
  });
  await one.clock.settle();
  const socket = await one.network.bindDatagram({ host: "127.0.0.1", port: 53 }, () => {});
  socket.send(Buffer.from("hello"), { host: "127.0.0.2", port: 53 });
  expect(await arrived).toBe("hello from 127.0.0.1");

  await one.disk.replace("/file", Buffer.from("x"));
  expect(await two.disk.read("/file")).toBeUndefined();
  expect(one.random.float()).not.toBe(two.random.float());
});
