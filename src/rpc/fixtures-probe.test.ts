import { readFileSync, readdirSync } from "node:fs";
import { test } from "vitest";
import { SERVED, EXCHANGES } from "./exchanges.ts";
import {
  MsgpackWriter,
  rpcRequestReader,
  rpcResponseReader,
  writeRpcRequestHeader,
} from "../wire/index.ts";
test("probe", async () => {
  const dir = "/work/shared/fixtures/wire/rpc/";
  let ok = 0,
    bad = 0,
    same = 0,
    differ: string[] = [];
  const miss = new Set<string>();
  const E: any = EXCHANGES;
  for (const f of readdirSync(dir).filter((f) => f.endsWith(".req.bin"))) {
    if (f.startsWith("AutoConfig")) continue;
    const req = readFileSync(dir + f);
    const r = rpcRequestReader();
    r.add(req);
    const m: any = r.take();
    if (!m) {
      console.log("incomplete", f);
      continue;
    }
    const s: any = SERVED.get(m.header.ServiceMethod);
    if (!s) {
      miss.add(m.header.ServiceMethod);
      continue;
    }
    let args: any,
      method = "";
    let replyOut: any;
    const q = rpcResponseReader();
    const resp = readFileSync(dir + f.replace(".req.", ".resp."));
    q.add(resp);
    const a: any = q.take();
    try {
      const prepared = s.prepare(m.body);
      const bodyStart = a.body.offset;
      const write = await prepared(
        {
          hooks: {},
          call: async (meth: string, ar: any) => {
            method = meth;
            args = ar;
            if (a.header.Error !== "") return undefined;
            const rep = E[meth].readReply(a.body, ar);
            return rep;
          },
        },
        new AbortController().signal,
      ).catch((e: any) => {
        if (a.header.Error === "") throw e;
      });
      ok++;
      if (a.header.Error === "" && write) {
        const w = new MsgpackWriter();
        write(w);
        replyOut = Buffer.from(w.finish());
        const want = resp.subarray(bodyStart);
        if (replyOut.equals(want)) same++;
        else differ.push(`resp ${f} ${replyOut.length} ${want.length}`);
      }
      const w = new MsgpackWriter();
      writeRpcRequestHeader(w, m.header);
      E[method].writeArgs(w, args, "dc1");
      const out = Buffer.from(w.finish());
      if (out.equals(req)) same++;
      else differ.push(`req ${f} ${out.length} ${req.length}`);
    } catch (e: any) {
      bad++;
      console.log(f, e.message);
    }
  }
  console.log(
    "ok",
    ok,
    "bad",
    bad,
    "same",
    same,
    "\ndiffer",
    differ.join("\n"),
    "\nmissing",
    [...miss].filter((m) => /^(Stat|Oper|Txn|Prep|Coord|Int|Sess|KVS|Cat|Hea)/.test(m)).join(" "),
    "others",
    miss.size,
  );
});
