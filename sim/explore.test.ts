// Every state that three cores can come to within bounds; `npm run sim -- --explore` for larger ones.
import { expect, test } from "vitest";
import type { CoreMutation } from "./core-soup.ts";
import { explore, type Bounds } from "./explore.ts";
import { BUILD_BOUNDS, FIGURE_8 } from "./explore-bounds.ts";
import { MUTANTS } from "./mutants.ts";

const TIMEOUT_MS = 600_000;

test.each(BUILD_BOUNDS.map((bounds) => ({ bounds, title: JSON.stringify(bounds) })))(
  "every state is sound within $title",
  { timeout: TIMEOUT_MS },
  ({ bounds }) => {
    const { violation, story, isDone, states, transitions, depth, cutOff } = explore(bounds);
    process.stdout.write(
      `${states} states, ${transitions} transitions, ${depth} steps deep, ${cutOff} left out\n`,
    );
    expect([violation, ...story]).toEqual([undefined]);
    expect(isDone).toBe(true);
    expect(states).toBeGreaterThan(10_000);
  },
);

const SMALL: Bounds = {
  timeouts: 2,
  proposals: 0,
  crashes: 1,
  losses: 0,
  flightsMax: 4,
  disks: "fast",
  statesMax: 200_000,
};

const NOTICED: readonly (readonly [string, Bounds, RegExp])[] = [
  ["half of the voters are enough", SMALL, /not on the disks of a majority/],
  ["votes twice in a term", SMALL, /two leaders in term 2/],
  ["votes for who lacks entries", SMALL, /leads in term 3 without what was committed/],
  ["acknowledges before the sync", SMALL, /not on the disks of a majority/],
  ["forgets term and vote", SMALL, /two leaders in term 2/],
  ["forgets the vote", SMALL, /two leaders in term 2/],
  [
    "commits an earlier term's entry by counting",
    { ...SMALL, logs: FIGURE_8, crashes: 0, flightsMax: 5 },
    /b leads in term 5 without what was committed/,
  ],
];

function mutationOf(name: string): CoreMutation {
  const mutant = MUTANTS.find((other) => other.name === name);
  if (mutant?.where !== "cores") throw new Error(`no mutant of the core is called "${name}"`);
  return mutant.mutation;
}

test.each(NOTICED)("exploration notices: %s", (name, bounds, violation) => {
  const found = explore(bounds, mutationOf(name));
  expect(found.violation).toMatch(violation);
  expect(found.story.length).toBeGreaterThan(0);
});

test("the story of a violation names each step to it", () => {
  const { story } = explore(SMALL, mutationOf("acknowledges before the sync"));
  expect(story.map((step) => step.replace(/: {.*/, ""))).toEqual([
    "a: timeout",
    "b receives request from a to b",
    'a receives {"kind":"requestVote","term":2,"granted":true} from b to a',
    "b receives request from a to b",
    'a receives {"kind":"appendEntries","term":2,"success":true,"lastIndex":1} from b to a',
  ]);
});
