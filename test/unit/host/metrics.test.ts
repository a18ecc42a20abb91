import { Metrics } from '../../../core/host/metrics';
import type { StatusReport } from '../../../core/host/reports';

const REPORT = {
  ready: true,
  health: 'ok',
  ports: { up: 3 },
  rpc: null,
  switch: {
    connected: true,
    writing: 'yes',
    keys: 4,
    flows: 5,
    pending: 0,
    quarantined: 0,
    conflicts: [],
    rounds: 6,
    drift: { removed: 0, changed: 0, added: 0, row: 0 },
  },
} as unknown as StatusReport;

describe('a scrape', () => {
  it('takes the status once for all gauges, and anew for the next scrape', async () => {
    let taken = 0;
    const metrics = new Metrics(async () => {
      taken += 1;
      return { ...REPORT, ports: { up: taken } };
    });
    expect(await metrics.text()).toContain('patchbay_ports{state="up"} 1');
    expect(taken).toBe(1);
    expect(await metrics.text()).toContain('patchbay_ports{state="up"} 2');
    expect(taken).toBe(2);
  });
});
