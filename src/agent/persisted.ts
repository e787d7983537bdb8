/**
 * Registrations that outlive the agent: those of the API, below the data directory. The files follow the
 * local state (`following-files.ts`); their format is in `persisted-records.ts`.
 *
 * A crash may leave a check without its service, never a service without its checks: it would count as
 * healthy. Files that cannot be used are moved to `broken/` beside them, for somebody to look at.
 */
import { join } from "node:path";
import { messageOf } from "../errors/index.ts";
import type { CheckStatus } from "../model/index.ts";
import type { Logger, Platform } from "../platform/index.ts";
import { KnownFiles, Lanes } from "./following-files.ts";
import type { LocalState } from "./local-state.ts";
import {
  decodeCheck,
  decodeService,
  decodeTtlState,
  encodeCheck,
  encodeService,
  encodeTtlState,
  fileNameOf,
  type KeptCheck,
  type KeptService,
  type KeptTtlState,
} from "./persisted-records.ts";

export interface Changed {
  readonly services: readonly string[];
  readonly checks: readonly string[];
}
/** A registration from a file. */
export interface Found<T> {
  readonly id: string;
  readonly kept: T;
  readonly path: string;
  /** Whether it is named as we name it. */
  readonly isNamedByUs: boolean;
}
export interface TtlResult {
  readonly status: CheckStatus;
  readonly output: string;
}

export interface Persisted extends AsyncDisposable {
  /**
   * Makes the files of these IDs as the local state is.
   * @throws {RollcallError} `disk/failed`
   */
  follow(changed: Changed): Promise<void>;
  /** A TTL check was updated. It is not waited for, and a failure is only logged. */
  ttlUpdated(checkId: string, ttlMs: number): void;
  /** What a TTL check was when the agent stopped, if that has not expired; once. */
  takeTtlState(checkId: string): TtlResult | undefined;
  readonly services: readonly Found<KeptService>[];
  readonly checks: readonly Found<KeptCheck>[];
  /** Moves a file away that cannot be used. */
  setAside(path: string, why: string): Promise<void>;
  /** As `follow`, once `found` is restored or has lost to the configuration. A failure is only logged. */
  settle(found: Found<unknown>, changed: Changed): Promise<void>;
}

export interface PersistedNeeds {
  readonly platform: Pick<Platform, "disk" | "clock">;
  readonly logger: Logger;
  readonly state: LocalState;
  /** Empty: nothing is kept. */
  readonly dataDir: string;
}

/** Reads what is there. What cannot be read is logged and left out. */
export async function openPersisted(needs: PersistedNeeds): Promise<Persisted> {
  if (needs.dataDir === "") return NOTHING_PERSISTED;
  const files = new PersistedFiles(needs);
  await files.load();
  return files;
}

export const NOTHING_PERSISTED: Persisted = {
  services: [],
  checks: [],
  follow: async () => {},
  ttlUpdated: () => {},
  takeTtlState: () => undefined,
  setAside: async () => {},
  settle: async () => {},
  [Symbol.asyncDispose]: async () => {},
};

/** Keys of lanes; the files of TTL states have their paths. */
const SERVICE = "service ";
const NODE = "node ";
const ofService = (id: string): string => SERVICE + id;
const ofNode = (checkId: string): string => NODE + checkId;

const BROKEN = "broken";
/** What an interrupted write leaves; nobody reads it. */
const TEMPORARY = ".tmp";

class PersistedFiles implements Persisted {
  services: readonly Found<KeptService>[] = [];
  checks: readonly Found<KeptCheck>[] = [];
  readonly #needs: PersistedNeeds;
  readonly #files: KnownFiles;
  readonly #lanes = new Lanes();
  readonly #directories: {
    readonly services: string;
    readonly checks: string;
    readonly states: string;
  };
  /** Of each check that has a file: with whose it goes. */
  readonly #owners = new Map<string, string>();
  readonly #checksOf = new Map<string, Set<string>>();
  readonly #restorable = new Map<string, TtlResult>();
  /** As last written or to be written, of the checks that are there. */
  readonly #ttlStates = new Map<string, KeptTtlState>();

  constructor(needs: PersistedNeeds) {
    this.#needs = needs;
    this.#files = new KnownFiles(needs.platform.disk);
    const checks = join(needs.dataDir, "checks");
    const services = join(needs.dataDir, "services");
    this.#directories = { services, checks, states: join(checks, "state") };
  }

  async load(): Promise<void> {
    const { services, checks, states } = this.#directories;
    for (const directory of [services, states]) await this.#makeDirectory(directory);
    this.services = await this.#read(services, decodeService, ({ service }) => service.ID);
    this.checks = await this.#read(checks, decodeCheck, ({ check }) => check.CheckID);
    for (const { id, kept } of this.checks) {
      const { ServiceID } = kept.check;
      this.#own(id, ServiceID === "" ? ofNode(id) : ofService(ServiceID));
    }
    const nowS = this.#needs.platform.clock.wallMs() / 1_000;
    for (const { id, kept, path } of await this.#read(states, decodeTtlState, (of) => of.checkId)) {
      if (kept.expiresS > nowS) {
        this.#ttlStates.set(id, kept);
        this.#restorable.set(id, kept);
      }
      // Those that stay are written under our name when their check is restored.
      if (kept.expiresS > nowS && path === this.#ttlStatePath(id)) continue;
      await this.#logged("Failed purging check state", path, () => this.#files.remove(path));
    }
  }

  async follow({ services, checks }: Changed): Promise<void> {
    const owners = new Set(services.map(ofService));
    for (const id of checks) {
      const owner = this.#ownerOf(id) ?? this.#owners.get(id);
      if (owner !== undefined) owners.add(owner);
      if (!this.#needs.state.checks.has(id)) this.#restorable.delete(id);
    }
    await Promise.all([
      ...[...owners].map((owner) => this.#lanes.run(owner, () => this.#followOwner(owner))),
      ...checks.map((id) => this.#followTtlState(id)),
    ]);
  }

  /** Whose file it goes with: its service's, or on the node its own. Undefined: it is to have no file. */
  #ownerOf(checkId: string): string | undefined {
    const entry = this.#needs.state.checks.get(checkId);
    if (entry?.origin !== "api") return undefined;
    return entry.check.ServiceID === "" ? ofNode(checkId) : ofService(entry.check.ServiceID);
  }

  /** From one look at the state to the files, in an order that leaves no service without its checks. */
  async #followOwner(owner: string): Promise<void> {
    const { state } = this.#needs;
    const serviceId = owner.startsWith(SERVICE) ? owner.slice(SERVICE.length) : undefined;
    const entry = serviceId === undefined ? undefined : state.services.get(serviceId);
    const entries =
      serviceId === undefined
        ? [state.checks.get(owner.slice(NODE.length))]
        : state.checksOfService(serviceId);
    const checks = entries.flatMap((check) => (check?.origin === "api" ? [check] : []));
    const texts = checks.map((check) => [check.check.CheckID, encodeCheck(check)] as const);
    const service = entry?.origin === "api" ? encodeService(entry) : undefined;
    const stale = [...(this.#checksOf.get(owner) ?? [])].filter(
      (id) => !texts.some(([wanted]) => wanted === id),
    );
    for (const [id] of texts) this.#own(id, owner);

    await Promise.all(texts.map(([id, text]) => this.#files.write(this.#checkPath(id), text)));
    if (serviceId !== undefined) {
      const path = join(this.#directories.services, fileNameOf(serviceId));
      await (service === undefined ? this.#files.remove(path) : this.#files.write(path, service));
    }
    for (const id of stale) {
      if (this.#owners.get(id) !== owner) continue; // Another service's by now.
      await this.#files.remove(this.#checkPath(id));
      this.#disown(id);
    }
  }

  #own(checkId: string, owner: string): void {
    this.#disown(checkId);
    this.#owners.set(checkId, owner);
    const siblings = this.#checksOf.get(owner);
    if (siblings === undefined) this.#checksOf.set(owner, new Set([checkId]));
    else siblings.add(checkId);
  }

  #disown(checkId: string): void {
    const owner = this.#owners.get(checkId) ?? "";
    this.#owners.delete(checkId);
    const siblings = this.#checksOf.get(owner);
    siblings?.delete(checkId);
    if (siblings?.size === 0) this.#checksOf.delete(owner);
  }

  /** The TTL states of configured checks are kept too. */
  #followTtlState(id: string): Promise<void> {
    const path = this.#ttlStatePath(id);
    return this.#lanes.run(path, () => {
      if (!this.#needs.state.checks.has(id)) this.#ttlStates.delete(id);
      const kept = this.#ttlStates.get(id);
      if (kept === undefined) return this.#files.remove(path);
      const { checkId: CheckID, output: Output, status: Status, expiresS: Expires } = kept;
      return this.#files.write(path, encodeTtlState({ CheckID, Output, Status, Expires }));
    });
  }

  #checkPath(checkId: string): string {
    return join(this.#directories.checks, fileNameOf(checkId));
  }

  #ttlStatePath(checkId: string): string {
    return join(this.#directories.states, fileNameOf(checkId));
  }

  ttlUpdated(checkId: string, ttlMs: number): void {
    const { state, platform } = this.#needs;
    const check = state.checks.get(checkId)?.check;
    if (check === undefined) return;
    const expiresS = Math.floor((platform.clock.wallMs() + ttlMs) / 1_000);
    const { Status, Output } = check;
    this.#ttlStates.set(checkId, {
      checkId,
      status: Status as CheckStatus,
      output: Output,
      expiresS,
    });
    void this.#logged("Failed persisting state for check", checkId, () =>
      this.#followTtlState(checkId),
    );
  }

  takeTtlState(checkId: string): TtlResult | undefined {
    const result = this.#restorable.get(checkId);
    this.#restorable.delete(checkId);
    return result;
  }

  async setAside(path: string, why: string): Promise<void> {
    const { logger, platform } = this.#needs;
    const [, directory = "", name = ""] = /^(.*)[/\\](.*)$/s.exec(path) ?? [];
    const aside = join(directory, BROKEN, name);
    logger.error("Failed to restore a registration, its file is set aside", {
      file: path,
      moved_to: aside,
      error: why,
    });
    await this.#logged("Failed to set the file aside", path, async () => {
      const bytes = await platform.disk.read(path);
      if (bytes === undefined) return;
      await platform.disk.makeDirectory(join(directory, BROKEN));
      await platform.disk.replace(aside, bytes);
      this.#files.found(path, "");
      await this.#files.remove(path);
    });
  }

  async settle({ path, isNamedByUs }: Found<unknown>, changed: Changed): Promise<void> {
    await this.#logged("Failed persisting a registration", path, async () => {
      await this.follow(changed);
      if (!isNamedByUs) await this.#files.remove(path);
    });
  }

  async #read<T>(
    directory: string,
    decode: (json: string) => T,
    idOf: (kept: T) => string,
  ): Promise<Found<T>[]> {
    const { disk } = this.#needs.platform;
    const entries = await this.#logged("Failed reading directory", directory, () =>
      disk.list(directory),
    );
    const found = new Map<string, Found<T>>();
    for (const { name, kind } of entries ?? []) {
      if (kind !== "file" || name.endsWith(TEMPORARY)) continue;
      const path = join(directory, name);
      const bytes = await this.#logged("Failed reading file", path, () => disk.read(path));
      if (bytes === undefined) continue;
      try {
        const json = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
        const kept = decode(json);
        const id = idOf(kept);
        if (found.has(id)) throw new Error(`there is another file for ${id}`);
        found.set(id, { id, kept, path, isNamedByUs: name === fileNameOf(id) });
        this.#files.found(path, json);
      } catch (error) {
        await this.setAside(path, messageOf(error));
      }
    }
    return [...found.values()];
  }

  async #makeDirectory(path: string): Promise<void> {
    await this.#logged("Failed to make directory", path, () =>
      this.#needs.platform.disk.makeDirectory(path),
    );
  }

  async #logged<T>(what: string, path: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.#needs.logger.error(what, { path, error: messageOf(error) });
      return undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#lanes[Symbol.asyncDispose]();
  }
}
