import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { SocketAccess } from "../platform.ts";
import { nodeNetwork } from "./network.ts";

const directory = mkdtempSync(join(tmpdir(), "rollcall-socket-"));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, "a.sock");
const { uid, gid, username } = userInfo();
const listen = (access: Partial<SocketAccess>) =>
  nodeNetwork.listen({ path, access: { user: "", group: "", mode: "", ...access } }, () => {});

test.each<[Partial<SocketAccess>, number]>([
  [{ mode: "0620" }, 0o620],
  [{ mode: "600", user: String(uid), group: String(gid) }, 0o600],
  [{ mode: "777", user: username }, 0o777],
])("%j is what the file gets", async (access, mode) => {
  await using _listener = await listen(access);
  const file = statSync(path);
  expect([file.mode & 0o777, file.uid, file.gid]).toEqual([mode, uid, gid]);
});

test.runIf(uid === 0)("root can give it to others", async () => {
  await using _listener = await listen({ user: "65534", group: "1" });
  const file = statSync(path);
  expect([file.uid, file.gid]).toEqual([65_534, 1]);
});

// In the words of consul 1.8.7, which names the value 0 in place of a mode that is none.
test.each<[Partial<SocketAccess>, string]>([
  [{ mode: "9" }, "invalid mode specified: 9"],
  [
    { user: "no-such-user" },
    "failed to look up user no-such-user: user: unknown user no-such-user",
  ],
  [{ group: "staff" }, "invalid group specified: staff"],
])("%j is refused, and no file stays", async (access, reason) => {
  await expect(listen(access)).rejects.toMatchObject({
    code: "net/bind",
    message: `Failed setting up socket: ${reason}`,
  });
  await using _listener = await listen({});
});
