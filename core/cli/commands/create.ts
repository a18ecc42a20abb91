import type { Command } from 'commander';
import { createProject } from '../create/project';
import type { ProgramParts } from '../parts';

/** `patchbay create plugin`. */
export function addCreateCommand(program: Command, parts: ProgramParts): void {
  program
    .command('create')
    .description('Make something new')
    .command('plugin <name>')
    .description('Make the project of a new plugin, with tests that pass at once')
    .option('--in <folder>', 'where the project’s folder is made', '.')
    .option(
      '--packages <folder>',
      'tarballs of Patchbay’s packages (npm run pack), which the project gets copies of; without it they come from the registry',
    )
    .action((name: string, { in: parent, packages }: { readonly in: string; readonly packages?: string }) => {
      const stock = Object.keys(parts.stock.plugins);
      const { folder, files } = createProject({ name, parent, stock, ...(packages === undefined ? {} : { packages }) });
      const next = [`cd ${folder}`, 'npm install', 'npm test'].map((line) => `  ${line}`);
      parts.print([...files.map((file) => `made ${file}`), '', 'Now:', ...next].join('\n'));
    });
}
