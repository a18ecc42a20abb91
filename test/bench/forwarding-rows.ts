import { Bed } from '../support/bed';
import { type ForwardingFigures, type ForwardingScale, measureForwarding } from './forwarding';
import type { Row } from './table';

const ENTRIES: ForwardingScale = { networks: 1_000, remotes: 20 };
const MESH: ForwardingScale = { networks: 5, remotes: 1_000 };

/** The full forwarding table, and one entry more. */
export async function measuredEntries(): Promise<readonly Row[]> {
  const { patchbay, reference } = await both(ENTRIES);
  const what = `entries of ${ENTRIES.networks.toLocaleString('en')} networks × ${ENTRIES.remotes} remote ports at once, sent → on the switch`;
  return [
    ...fullRows(what, patchbay, reference),
    {
      what: '… one entry more',
      unit: 'ms',
      ...compared(patchbay, reference, ({ entry }) => entry.ms),
      note: 'median of 9',
    },
    {
      what: "… of it the switch's own",
      unit: 'ms',
      ...compared(patchbay, reference, ({ entry }) => entry.aloneMs),
      note: 'two such flows with no agent running; median of 9',
    },
    {
      what: '… flows changed by it',
      unit: 'count',
      ...compared(patchbay, reference, ({ entry }) => entry.flows),
      target: 2,
      note: 'unicast and ARP answer',
    },
  ];
}

/** A mesh of tunnels, and one endpoint that comes to it. */
export async function measuredMesh(): Promise<readonly Row[]> {
  const { patchbay, reference } = await both(MESH);
  const what = `${MESH.remotes.toLocaleString('en')} tunnel endpoints in ${MESH.networks} networks, sent → on the switch`;
  return [
    ...fullRows(what, patchbay, reference),
    {
      what: '… one endpoint more in one network',
      unit: 'ms',
      ...compared(patchbay, reference, ({ endpoint }) => endpoint.ms),
      note: 'median of 9',
    },
    {
      what: "… of it the switch's own",
      unit: 'ms',
      ...compared(patchbay, reference, ({ endpoint }) => endpoint.aloneMs),
      note: 'the same port made with no agent running, until it has its number; median of 9',
    },
    {
      what: '… ports made for it',
      unit: 'count',
      ...compared(patchbay, reference, ({ endpoint }) => endpoint.ports),
      target: 1,
    },
    {
      what: '… flows changed by it',
      unit: 'count',
      ...compared(patchbay, reference, ({ endpoint }) => endpoint.flows),
      target: 2,
      note: 'of its port, and the one that floods to it',
    },
  ];
}

async function both(scale: ForwardingScale) {
  const bed = await Bed.start({ hosts: 1 });
  try {
    const patchbay = await measureForwarding('patchbay', bed, scale);
    console.log('Patchbay', patchbay);
    const reference = await measureForwarding('reference', bed, scale);
    console.log('the reference agent', reference);
    return { patchbay, reference };
  } finally {
    await bed.stop();
  }
}

const compared = (
  patchbay: ForwardingFigures,
  reference: ForwardingFigures,
  of: (figures: ForwardingFigures) => number,
): Pick<Row, 'patchbay' | 'reference'> => ({ patchbay: of(patchbay), reference: of(reference) });

function fullRows(what: string, patchbay: ForwardingFigures, reference: ForwardingFigures): readonly Row[] {
  const figure = (of: (figures: ForwardingFigures) => number) => compared(patchbay, reference, of);
  return [
    { what, unit: 'ms', ...figure(({ full }) => full.ms) },
    { what: '… processor time of the agent', unit: 'ms', ...figure(({ fullCpuMs }) => fullCpuMs) },
    { what: '… flows then', unit: 'count', ...figure(({ flows }) => flows), note: 'of br-tun' },
    { what: '… changes of flows on the way', unit: 'count', ...figure(({ full }) => full.flows) },
    { what: '… memory then', unit: 'MiB', ...figure(({ rssMiB }) => rssMiB), note: 'of all its processes' },
    { what: '… of it more than before', unit: 'MiB', ...figure(({ moreMiB }) => moreMiB) },
  ];
}
