import type { NumberKind, Numbers, Store, TableRequest } from '@patchbay/sdk';
import { KernelError } from './errors';
import { isPlainObject } from './plain';

/**
 * Where allotted numbers start and end, both included. Tables: 0 to 99 are Neutron's on both bridges, 254 is the highest (OpenFlow 1.3, 7.3.4.1).
 * Meters, groups and conjunctions: above what Neutron's agent and its extensions count up from 1; Open vSwitch takes meters to 65535
 * in userspace.
 */
export const ALLOTTED_RANGES: Readonly<Record<NumberKind | 'table', readonly [number, number]>> = {
  table: [100, 199],
  meter: [20_000, 59_999],
  group: [1_000_000, 1_999_999],
  conjunction: [0x5000_0000, 0x5fff_ffff],
  // Six registers of 32 bits (sdk/pipeline.ts).
  'register-bit': [0, 191],
};

/** Numbers of the tables of a bridge that somebody writes who has not asked here. */
export type TablesInUse = (bridge: string) => Promise<ReadonlySet<number>>;

/** Gives out numbers that no two plugins share. A name keeps its number, over restarts and while its plugin is away. */
export class NumberBook {
  private readonly pages = new Map<string, Map<string, number>>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: Store,
    private readonly tablesInUse: TablesInUse = async () => new Set(),
  ) {}

  /** The numbers as one plugin asks for them. */
  of(plugin: string): Numbers {
    return {
      allot: (kind, bridge, name) => this.allot(kind, bridge, `${plugin}/${name}`),
      release: (kind, bridge, name) => this.release(kind, bridge, `${plugin}/${name}`),
    };
  }

  /** Whether the number was allotted to the plugin in this run: who goes by a number asks for it again after a start. */
  isOf(plugin: string, kind: NumberKind, bridge: string, number: number): boolean {
    const page = this.pages.get(`${kind} ${bridge}`);
    const owner = [...(page ?? [])].find(([, one]) => one === number)?.[0];
    return owner?.startsWith(`${plugin}/`) === true;
  }

  /** The numbers of a plugin's tables, by name. */
  async tables(
    plugin: string,
    requests: readonly TableRequest[],
    bridges: Readonly<Record<TableRequest['bridge'], string>>,
  ): Promise<Readonly<Record<string, number>>> {
    const allotted: Record<string, number> = {};
    for (const { bridge, name } of requests) {
      allotted[name] = await this.allot('table', bridges[bridge], `${plugin}/${name}`);
    }
    return allotted;
  }

  private allot(kind: NumberKind | 'table', bridge: string, owner: string): Promise<number> {
    return this.alone(async () => {
      const page = await this.page(kind, bridge);
      const known = page.get(owner);
      if (known !== undefined) return known;
      const strangers = kind === 'table' ? await this.tablesInUse(bridge) : [];
      const taken = new Set([...page.values(), ...strangers]);
      const [first, last] = ALLOTTED_RANGES[kind];
      let number = first;
      while (taken.has(number)) number += 1;
      if (number > last) throw KernelError.numbersExhausted({ kind, bridge, owner, first, last });
      page.set(owner, number);
      await this.keep(kind, bridge, page);
      return number;
    });
  }

  private release(kind: NumberKind, bridge: string, owner: string): Promise<void> {
    return this.alone(async () => {
      const page = await this.page(kind, bridge);
      if (page.delete(owner)) await this.keep(kind, bridge, page);
    });
  }

  /** One after the other, so that no two are given the same. */
  private alone<T>(act: () => Promise<T>): Promise<T> {
    const done = this.turn.then(act);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async page(kind: string, bridge: string): Promise<Map<string, number>> {
    const name = `${kind} ${bridge}`;
    let page = this.pages.get(name);
    if (page === undefined) {
      page = numbersIn(await this.store.get(name));
      this.pages.set(name, page);
    }
    return page;
  }

  private keep(kind: string, bridge: string, page: ReadonlyMap<string, number>): Promise<void> {
    return this.store.set(`${kind} ${bridge}`, JSON.stringify(Object.fromEntries(page)));
  }
}

function numbersIn(text: string | undefined): Map<string, number> {
  const content: unknown = text === undefined ? {} : JSON.parse(text);
  const entries = isPlainObject(content) ? Object.entries(content) : [];
  return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
