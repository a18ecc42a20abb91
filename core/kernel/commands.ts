import { type CommandAnswer, type Commands, reasonOf, type Unsubscribe } from '@patchbay/sdk';
import { KernelError } from './errors';
import type { EventContext } from './event-context';
import { suggestion } from './nearest';

export interface CommandListing {
  readonly plugin: string;
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
}

interface Known extends CommandListing {
  readonly run: (words: readonly string[]) => Promise<CommandAnswer> | CommandAnswer;
}

/** The commands that plugins add to `patchbay`. */
export class CommandBook {
  private readonly commands = new Map<string, Known>();

  constructor(private readonly context: EventContext) {}

  of(plugin: string): Commands {
    return {
      add: ({ name, summary, usage = '' }, run): Unsubscribe => {
        const place = `${plugin} ${name}`;
        if (this.commands.has(place)) throw KernelError.commandTwice({ plugin, name });
        this.commands.set(place, { plugin, name, summary, usage, run });
        return () => this.commands.delete(place);
      },
    };
  }

  list(): readonly CommandListing[] {
    return [...this.commands.values()].map(({ run: _, ...listing }) => listing);
  }

  /** @throws PatchbayError where there is no such command, or it fails. */
  async run(plugin: string, name: string, words: readonly string[]): Promise<CommandAnswer> {
    const command = this.commands.get(`${plugin} ${name}`);
    if (command === undefined) {
      const hint = suggestion(`${plugin} ${name}`, [...this.commands.keys()]);
      throw KernelError.noCommand({ plugin, name, hint });
    }
    try {
      return await this.context.outside(() => command.run(words), plugin);
    } catch (thrown) {
      throw KernelError.commandFailed({ plugin, name, reason: reasonOf(thrown) }, thrown);
    }
  }
}
