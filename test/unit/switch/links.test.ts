import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awaitSocketOf } from '../../../core/switch/management-sockets';
import { FakeOpenFlowSwitch } from '../../../core/switch/openflow/fake';
import { Links } from '../../../core/switch/reconciler/links';
import { LineLogger } from '../../support/switch/rig';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Links to a bridge that answers when told to, and the means to give a sign of it. */
function rig() {
  const bridge = new FakeOpenFlowSwitch('br-int');
  const heard: string[] = [];
  const awaiting = new Set<() => void>();
  const state = { attempts: 0, answers: true };
  const links = new Links(
    async () => {
      state.attempts += 1;
      if (!state.answers) throw new Error('no such file');
      return bridge.connect();
    },
    () => true,
    { up: () => heard.push('up'), down: () => heard.push('down') },
    new LineLogger(),
    (_bridge, mayAnswer) => {
      awaiting.add(mayAnswer);
      return () => awaiting.delete(mayAnswer);
    },
  );
  return { links, bridge, heard, awaiting, state };
}

describe('the connection to a bridge that was lost', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  it('is made again at the first sign of the bridge, and not when the pause is over', async () => {
    const { links, heard, awaiting, state } = rig();
    links.want('br-int');
    await turn();
    state.answers = false;
    await links.drop('br-int');
    await jest.advanceTimersByTimeAsync(2_000);
    state.answers = true;
    for (const sign of awaiting) sign();
    await turn();
    expect(heard).toEqual(['up', 'down', 'up']);
    expect(awaiting.size).toBe(0);
    await links.stop();
  });

  it('is tried again soon where the sign came before the bridge listened', async () => {
    const { links, heard, awaiting, state } = rig();
    state.answers = false;
    links.want('br-int');
    await jest.advanceTimersByTimeAsync(4_000);
    for (const sign of [...awaiting]) sign();
    await turn();
    const { attempts } = state;
    state.answers = true;
    await jest.advanceTimersByTimeAsync(5);
    await turn();
    expect(state.attempts).toBe(attempts + 1);
    expect(heard).toEqual(['up']);
    await links.stop();
  });

  it('is awaited no longer once nobody wants it', async () => {
    const { links, awaiting, state } = rig();
    state.answers = false;
    links.want('br-int');
    await turn();
    expect(awaiting.size).toBe(1);
    await links.stop();
    expect(awaiting.size).toBe(0);
  });
});

describe('a management socket', () => {
  let folder: string;
  let server: Server | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'patchbay-'));
  });
  afterEach(() => {
    server?.close();
    rmSync(folder, { recursive: true });
  });

  it('gives a sign when it is made', async () => {
    const path = join(folder, 'br-int.mgmt');
    let stop: () => void = () => undefined;
    const sign = new Promise<void>((resolve) => {
      stop = awaitSocketOf(() => ({ kind: 'unix', path }))('br-int', resolve);
    });
    server = createServer().listen(path);
    await sign;
    stop();
  });

  it('in a folder that is not there gives none, and hurts nobody', () => {
    awaitSocketOf(() => ({ kind: 'unix', path: join(folder, 'nowhere', 'br-int.mgmt') }))('br-int', () => {})();
  });
});
