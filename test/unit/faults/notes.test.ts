import { flowsInWords, NotYet, noteOf } from '../../faults/note';
import { CommandFailed, NotInTime } from '../../support/bed-command';

const FAILED = new CommandFailed(
  'nsenter --target 774 -- ovs-vsctl br-exists br-int',
  2,
  '',
  'no bridge br-int\nat all',
);

describe('a note below the table of faults', () => {
  test('says in words what did not come, and not which command asked for it', () => {
    expect(noteOf(new NotInTime('br-int is there again', 90_000, FAILED))).toBe(
      'Not within 90 s: br-int is there again.',
    );
  });

  test('says what was still missing where that is known', () => {
    expect(noteOf(new NotInTime('all is as before', 30_000, new NotYet('no answer on the VLAN network')))).toBe(
      'After 30 s still: no answer on the VLAN network.',
    );
  });

  test('of a command that failed has what it said, and not the command', () => {
    expect(noteOf(FAILED)).toBe('A command failed: no bridge br-int');
  });

  test('counts the flows that are missing and too many, and names the first of either whole', () => {
    const differences = [
      '- br-tun table=0 actions=drop',
      '- br-tun table=2 actions=drop',
      '+ br-int table=60 actions=drop',
    ];

    expect(flowsInWords(differences)).toBe(
      '2 flows missing, the first `br-tun table=0 actions=drop`; a flow too many, `br-int table=60 actions=drop`',
    );
  });
});
