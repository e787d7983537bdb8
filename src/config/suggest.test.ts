import { expect, test } from "vitest";
import { suggest } from "./suggest.ts";

const KNOWN = ["datacenter", "data_dir", "node_name", "ports", "http_config", "ui"];

test.each([
  ["port", "ports"],
  ["dataDir", "data_dir"],
  ["data-dir", "data_dir"],
  ["datacentre", "datacenter"],
  ["node-nam", "node_name"],
  ["htpp_config", "http_config"],
  ["watches", undefined],
  ["", undefined],
  ["x".repeat(10_000), undefined],
])("%s was meant to be %s", (name, meant) => {
  expect(suggest(name, KNOWN)).toBe(meant);
});
