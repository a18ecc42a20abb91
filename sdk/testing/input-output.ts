import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import fs from 'node:fs';
import filePromises from 'node:fs/promises';
import net from 'node:net';
import { caller } from './caller';

/** Calls that reach out of the process, made by somebody who should not. */
export interface InputOutputWatch {
  /** Each by its name, with where it was made. */
  made(): readonly string[];
  end(): void;
}

type Door = Record<string, unknown>;

/** Where input and output begins: a module, or the prototype of what is made closed and opened later, and of it all functions or those named. */
const DOORS: readonly (readonly [name: string, place: object, functions?: readonly string[]])[] = [
  ['fs', fs],
  ['fs/promises', filePromises],
  ['child_process', childProcess],
  ['dns', dns],
  ['net.Socket', net.Socket.prototype, ['connect']],
  ['net.Server', net.Server.prototype, ['listen']],
  ['dgram.Socket', dgram.Socket.prototype, ['bind', 'connect', 'send']],
];

/** From now on notes files, sockets, processes and look-ups of names. Loading a module reads files too, and does not count. */
export function watchInputOutput(): InputOutputWatch {
  const made: string[] = [];
  const undo: (() => void)[] = [];
  for (const [name, place, functions] of DOORS) {
    const door = place as Door;
    for (const key of functions ?? Object.keys(door).filter((one) => /^[a-z]/.test(one))) {
      const own = Object.getOwnPropertyDescriptor(door, key);
      const real = own?.value as unknown;
      if (typeof real !== 'function' || own?.writable !== true) continue;
      const noting = function (this: unknown, ...words: unknown[]): unknown {
        const by = caller();
        if (by !== undefined) made.push(`${name}.${key} ${by}`);
        return Reflect.apply(real, this, words);
      };
      door[key] = Object.assign(noting, real);
      undo.push(() => {
        door[key] = real;
      });
    }
  }
  return {
    made: () => made,
    end: () => {
      for (const put of undo.splice(0)) put();
    },
  };
}
