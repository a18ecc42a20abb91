import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Channel } from '../../../core/switch/openflow/channel';
import { OpenFlowConnectionError } from '../../../core/switch/openflow/errors';
import { openSocket } from '../../../core/switch/openflow/transport';

const folder = mkdtempSync(join(tmpdir(), 'patchbay-channel-'));
const path = join(folder, 'bridge.mgmt');
let server: Server | undefined;

afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function connectTo(serve: (socket: Socket) => void): Promise<Socket> {
  server = createServer(serve);
  await new Promise<void>((resolve) => server?.listen(path, resolve));
  return openSocket({ kind: 'unix', path }, 1_000);
}

const TIMES = { echoAfter: 0, patience: 60_000 };

describe('greeting a switch', () => {
  it('fails at once on a connection that ended before the hello', async () => {
    const channel = new Channel(await connectTo((socket) => socket.destroy()), [4, 5], TIMES);
    await new Promise<void>((resolve) => {
      channel.closed.add(() => resolve());
    });
    await expect(channel.greet()).rejects.toBeInstanceOf(OpenFlowConnectionError);
  });

  it('fails when the switch closes instead of answering', async () => {
    const channel = new Channel(
      await connectTo((socket) => socket.once('data', () => socket.destroy())),
      [4, 5],
      TIMES,
    );
    await expect(channel.greet()).rejects.toBeInstanceOf(OpenFlowConnectionError);
  });
});
