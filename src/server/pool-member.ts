/** A member of a gossip pool, as the server looks at it. */
import type { Tags } from "../wire/index.ts";

export interface PoolMember {
  readonly name: string;
  /** An IP address as text. */
  readonly address: string;
  readonly tags: Tags;
  readonly status: "alive" | "leaving" | "left" | "failed" | "reaped";
  readonly protocol: { readonly current: number; readonly min: number; readonly max: number };
}
