import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describePluginContract, Kit } from '@patchbay/testing';
import { HeartbeatToFile } from '../src/plugin';

const folder = mkdtempSync(join(tmpdir(), 'heartbeat-'));
afterAll(() => rmSync(folder, { recursive: true }));

describePluginContract(HeartbeatToFile, { options: { file: join(folder, 'contract.json') }, statesNothing: true });

describe('the heartbeat', () => {
  let kit: Kit | undefined;
  const start = async (file: string, prepare: (kit: Kit) => void = () => undefined): Promise<Kit> => {
    kit = await Kit.start({ plugins: [HeartbeatToFile], options: { 'acme-heartbeat': { file } }, prepare });
    await until(() => kit !== undefined && (kit.controlPlane.states.length > 0 || existsSync(file)));
    await kit.settled();
    return kit;
  };
  afterEach(() => kit?.stop());

  it('reports to the server and to the file', async () => {
    const file = join(folder, 'both.json');
    const { controlPlane } = await start(file);
    await until(() => existsSync(file));
    expect(controlPlane.states[0]).toMatchObject({ startFlag: true, configurations: { devices: 0 } });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ host: 'compute-1', configurations: { devices: 0 } });
  });

  it('writes the file while the server is away, and says so', async () => {
    const file = join(folder, 'alone.json');
    const running = await start(file, ({ controlPlane }) => {
      controlPlane.failure = new Error('the broker is away');
    });
    expect(existsSync(file)).toBe(true);
    expect(running.health().conditions).toEqual([
      expect.objectContaining({ condition: 'server', detail: 'the broker is away' }),
    ]);
  });

  it('reports to the server while the file cannot be written', async () => {
    const running = await start(join(folder, 'no/such/folder.json'));
    await until(() => running.health().conditions.length > 0);
    expect(running.controlPlane.states).toHaveLength(1);
    expect(running).toHaveHealth('degraded');
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !holds(); attempt += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  if (!holds()) throw new Error('it never came to that');
}
