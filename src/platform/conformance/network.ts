import { once } from "node:events";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Subject } from "./subject.ts";
import { DisposableScope } from "../disposable-scope.ts";
import type { IpAddress, Network, SocketPath, StreamListener } from "../platform.ts";

const LOOPBACK: IpAddress = { host: "127.0.0.1", port: 0 };
const NEVER = new AbortController().signal;

export function networkConformance(subject: () => Subject): void {
  const network = (): Network => subject().platform.network;
  streams(network, () => subject().socketPath);
  ends(network);
  refusals(network);
  datagrams(network);
  exchanges(network);
  test("network: interfaces include loopback", () => {
    expect(network().interfaces()).toContainEqual(
      expect.objectContaining({ address: "127.0.0.1", internal: true }),
    );
  });
}

function streams(network: () => Network, socketPath: () => string): void {
  describe("streams", () => {
    test("port 0 binds a free port, and bytes flow both ways", async () => {
      await using scope = new DisposableScope();
      const { near, far, peer, address } = await pair(scope, network(), LOOPBACK);
      if ("path" in address) throw new Error("not a path");
      expect(address.host).toBe("127.0.0.1");
      expect(address.port).toBeGreaterThan(0);
      expect(peer.host).toBe("127.0.0.1");
      expect(peer.port).toBeGreaterThan(0);
      near.write("ping");
      expect(await chunk(far)).toBe("ping");
      far.write("pong");
      expect(await chunk(near)).toBe("pong");
    });

    test("a socket path works as an address does, and its peer has none", async () => {
      const local = { path: socketPath() };
      await using scope = new DisposableScope();
      const { near, far, peer, address } = await pair(scope, network(), local);
      expect(address).toEqual(local);
      expect(peer).toEqual({ host: "", port: 0 });
      near.end("hello");
      expect(await text(far)).toBe("hello");
    });

    test("IPv6 works, and an IPv4 peer of an IPv6 listener shows as IPv4", async () => {
      await using scope = new DisposableScope();
      const only6 = await pair(scope, network(), { host: "::1", port: 0 });
      expect(only6.peer.host).toBe("::1");

      const accepted = deferred<IpAddress>();
      const listener = scope.use(
        await network().listen({ host: "::", port: 0 }, (_stream, peer) => accepted.resolve(peer)),
      );
      const near = await network().connect(
        { host: "127.0.0.1", port: portOf(listener) },
        { signal: NEVER },
      );
      scope.defer(() => near.destroy());
      expect((await accepted.promise).host).toBe("127.0.0.1");
    });

    test("host names are resolved when connecting", async () => {
      await using scope = new DisposableScope();
      const listener = scope.use(await network().listen(LOOPBACK, () => {}));
      const near = await network().connect(
        { host: "localhost", port: portOf(listener) },
        { signal: NEVER },
      );
      expect(near.destroyed).toBe(false);
      near.destroy();
    });

    test("a name has an address, an address is its own, and an unknown name is said", async () => {
      expect(await network().resolve("localhost")).toMatch(/^(127\.0\.0\.1|::1)$/);
      expect(await network().resolve("192.0.2.1")).toBe("192.0.2.1");
      await expect(network().resolve("nosuch.invalid")).rejects.toMatchObject({ code: "net/dial" });
    });

    test("many bytes arrive whole and in order, however slowly they are read", async () => {
      await using scope = new DisposableScope();
      const { near, far } = await pair(scope, network(), LOOPBACK);
      const sent = Buffer.from(Uint8Array.from({ length: 1 << 20 }, (_byte, index) => index % 251));
      let accepted = 0;
      while (near.write(sent.subarray(0, 65_536)) && accepted < 1000) accepted += 1;
      expect(accepted).toBeLessThan(1000);
      near.end(sent);
      const got = await collect(far);
      expect(got).toHaveLength((accepted + 1) * 65_536 + sent.byteLength);
      expect(got.subarray(-sent.byteLength).equals(sent)).toBe(true);
    });
  });
}

function ends(network: () => Network): void {
  describe("ends of streams", () => {
    test("when one side ends, the other sees it and ends too", async () => {
      await using scope = new DisposableScope();
      const { near, far } = await pair(scope, network(), LOOPBACK);
      const closed = Promise.all([closing(near), closing(far)]);
      near.resume();
      near.end("last words");
      expect(await text(far)).toBe("last words");
      await closed;
      expect(far.writableEnded).toBe(true);
    });

    test("when one side is destroyed, the other closes", async () => {
      await using scope = new DisposableScope();
      const { near, far } = await pair(scope, network(), LOOPBACK);
      const closed = closing(near);
      near.resume();
      far.destroy();
      await closed;
      expect(near.destroyed).toBe(true);
    });

    test("writing to who has gone does no harm, though nobody listens for the error", async () => {
      await using scope = new DisposableScope();
      const { near, far } = await pair(scope, network(), LOOPBACK);
      const closed = closing(near);
      far.destroy();
      await closing(far);
      const write = (): void => {
        near.write("anybody?", (error) => {
          if (error === undefined || error === null) write();
        });
      };
      write();
      await closed;
      expect(near.destroyed).toBe(true);
    });

    test("closing a listener frees its address and closes what it accepted", async () => {
      await using scope = new DisposableScope();
      const { near, far, listener } = await pair(scope, network(), LOOPBACK);
      const local = { host: "127.0.0.1", port: portOf(listener) };
      near.resume();
      const closed = closing(near);
      await Promise.all([listener[Symbol.asyncDispose](), listener[Symbol.asyncDispose]()]);
      expect(far.destroyed).toBe(true);
      await closed;
      await expect(network().connect(local, { signal: NEVER })).rejects.toThrow("refused");
      scope.use(await network().listen(local, () => {}));
    });
  });
}

function refusals(network: () => Network): void {
  describe("refusals", () => {
    test("an address that is taken, in Go's words, until it is released", async () => {
      await using scope = new DisposableScope();
      const listener = scope.use(await network().listen(LOOPBACK, () => {}));
      const taken = { host: "127.0.0.1", port: portOf(listener) };
      await expect(network().listen(taken, () => {})).rejects.toMatchObject({
        code: "net/bind",
        message: `listen tcp 127.0.0.1:${taken.port}: bind: address already in use`,
      });
      await listener[Symbol.asyncDispose]();
      scope.use(await network().listen(taken, () => {}));

      const datagrams = scope.use(await network().bindDatagram(LOOPBACK, () => {}));
      await expect(network().bindDatagram(datagrams.address, () => {})).rejects.toMatchObject({
        code: "net/bind",
        message: `listen udp 127.0.0.1:${datagrams.address.port}: bind: address already in use`,
      });
    });

    test("nobody listens there", async () => {
      const remote = { host: "127.0.0.1", port: 1 };
      await expect(network().connect(remote, { signal: NEVER })).rejects.toMatchObject({
        code: "net/dial",
        message: "dial tcp 127.0.0.1:1: connect: connection refused",
      });
      const path = "/no/such/socket";
      await expect(network().connect({ path }, { signal: NEVER })).rejects.toMatchObject({
        code: "net/dial",
        message: "dial unix /no/such/socket: connect: no such file or directory",
      });
    });

    test("an aborted signal's reason comes through", async () => {
      const reason = new Error("dial tcp 127.0.0.1:1: i/o timeout");
      const remote = { host: "127.0.0.1", port: 1 };
      const signal = AbortSignal.abort(reason);
      await expect(network().connect(remote, { signal })).rejects.toBe(reason);

      const late = new AbortController();
      const connecting = network().connect(remote, { signal: late.signal });
      late.abort(reason);
      await expect(connecting).rejects.toBe(reason);
    });
  });
}

function datagrams(network: () => Network): void {
  describe("datagrams", () => {
    test("arrive with their sender's address, which can be answered", async () => {
      await using scope = new DisposableScope();
      const answered = deferred<string>();
      const server = scope.use(
        await network().bindDatagram(LOOPBACK, (bytes, from) =>
          server.send(Buffer.from(`${Buffer.from(bytes).toString()}, you`), from),
        ),
      );
      const client = scope.use(
        await network().bindDatagram(LOOPBACK, (bytes, from) =>
          answered.resolve(`${Buffer.from(bytes).toString()} from ${from.port}`),
        ),
      );
      expect(server.address.host).toBe("127.0.0.1");
      client.send(Buffer.from("hello"), server.address);
      expect(await answered.promise).toBe(`hello, you from ${server.address.port}`);
    });

    test("reach an IPv4 peer from an IPv6 wildcard socket and back", async () => {
      await using scope = new DisposableScope();
      const answered = deferred<IpAddress>();
      const server = scope.use(
        await network().bindDatagram({ host: "::", port: 0 }, (bytes, from) => {
          expect(from.host).toBe("127.0.0.1");
          server.send(bytes, from);
        }),
      );
      const client = scope.use(
        await network().bindDatagram(LOOPBACK, (_bytes, from) => answered.resolve({ ...from })),
      );
      client.send(Buffer.from("x"), { host: "127.0.0.1", port: server.address.port });
      expect(await answered.promise).toEqual({ host: "127.0.0.1", port: server.address.port });
    });

    test("that cannot be sent are dropped, and the socket goes on", async () => {
      await using scope = new DisposableScope();
      const got = deferred<string>();
      const target = scope.use(
        await network().bindDatagram(LOOPBACK, (bytes) =>
          got.resolve(Buffer.from(bytes).toString()),
        ),
      );
      const sender = await network().bindDatagram(LOOPBACK, () => {});
      sender.send(Buffer.from("x"), { host: "127.0.0.1", port: 0 });
      sender.send(Buffer.from("x"), { host: "127.0.0.1", port: 70_000 });
      sender.send(Buffer.from("x"), { host: "127.0.0.1", port: 1 });
      sender.send(new Uint8Array(70_000), target.address);
      sender.send(Buffer.from("still here"), target.address);
      expect(await got.promise).toBe("still here");
      await sender[Symbol.asyncDispose]();
      await sender[Symbol.asyncDispose]();
      expect(() => sender.send(Buffer.from("x"), target.address)).not.toThrow();
    });
  });
}

function exchanges(network: () => Network): void {
  describe("one datagram and its answer", () => {
    const hello = Buffer.from("hello");

    test("the answer of the peer comes back, an empty one too; names are resolved", async () => {
      await using scope = new DisposableScope();
      const server = scope.use(
        await network().bindDatagram(LOOPBACK, (bytes, from) => server.send(bytes, from)),
      );
      const { port } = server.address;
      for (const [host, sent] of [
        ["127.0.0.1", "hello"],
        ["localhost", ""],
      ] as const) {
        const bytes = Buffer.from(sent);
        const answer = await network().exchangeDatagram({ host, port }, bytes, { signal: NEVER });
        expect(Buffer.from(answer).toString()).toBe(sent);
      }
    });

    test("a peer that refuses is told of, and a name that nobody knows", async () => {
      const refusing = { host: "127.0.0.1", port: 1 };
      await expect(
        network().exchangeDatagram(refusing, hello, { signal: NEVER }),
      ).rejects.toMatchObject({
        code: "net/dial",
        message: "read udp 127.0.0.1:1: read: connection refused",
      });
      const unknown = { host: "nosuch.invalid", port: 1 };
      await expect(
        network().exchangeDatagram(unknown, hello, { signal: NEVER }),
      ).rejects.toMatchObject({ code: "net/dial" });
    });

    test("a peer that keeps silent is waited for until the signal aborts", async () => {
      await using scope = new DisposableScope();
      const heard = deferred<string>();
      const silent = scope.use(
        await network().bindDatagram(LOOPBACK, (bytes) =>
          heard.resolve(Buffer.from(bytes).toString()),
        ),
      );
      const run = new AbortController();
      const asking = network().exchangeDatagram(silent.address, hello, { signal: run.signal });
      expect(await heard.promise).toBe("hello");
      const reason = new Error("enough");
      run.abort(reason);
      await expect(asking).rejects.toBe(reason);
    });
  });
}

async function pair(
  scope: DisposableScope,
  network: Network,
  local: IpAddress | SocketPath,
): Promise<{
  near: Duplex;
  far: Duplex;
  peer: IpAddress;
  address: IpAddress | SocketPath;
  listener: StreamListener;
}> {
  const accepted = deferred<readonly [Duplex, IpAddress]>();
  const listener = scope.use(
    await network.listen(local, (stream, peer) => accepted.resolve([stream, peer])),
  );
  const near = await network.connect(listener.address, { signal: NEVER });
  scope.defer(() => near.destroy());
  const [far, peer] = await accepted.promise;
  return { near, far, peer, address: listener.address, listener };
}

function portOf({ address }: StreamListener): number {
  if ("path" in address) throw new Error("a path has no port");
  return address.port;
}

async function chunk(stream: Duplex): Promise<string> {
  const [bytes] = (await once(stream, "data")) as [Buffer];
  return bytes.toString();
}

/** Not `once`, which would listen for errors too. */
function closing(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.on("close", resolve));
}

async function collect(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const bytes of stream) chunks.push(bytes as Buffer);
  return Buffer.concat(chunks);
}

async function text(stream: Duplex): Promise<string> {
  return (await collect(stream)).toString();
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
