import { OvsdbTargetError, parseTarget } from '../../../core/switch/ovsdb';

describe('an OVSDB target', () => {
  it.each([
    ['unix:/run/openvswitch/db.sock', { transport: 'unix', path: '/run/openvswitch/db.sock' }],
    ['tcp:127.0.0.1', { transport: 'tcp', host: '127.0.0.1', port: 6640 }],
    ['tcp:switch.example:1234', { transport: 'tcp', host: 'switch.example', port: 1234 }],
    ['ssl:[2001:db8::1]:6641', { transport: 'ssl', host: '2001:db8::1', port: 6641 }],
    ['tcp:[::1]', { transport: 'tcp', host: '::1', port: 6640 }],
  ])('reads %s', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each([
    ['unix:', 'path of the socket is missing'],
    ['tcp:', 'malformed'],
    ['tcp:host:0', 'not in 1..65535'],
    ['tcp:host:99999', 'not in 1..65535'],
    ['tcp:::1', 'must stand in brackets'],
    ['ptcp:6640', 'connects to tcp:'],
    ['punix:/run/db.sock', 'connects to unix:'],
    ['127.0.0.1:6640', 'must begin with unix:, tcp: or ssl:'],
    ['', 'must begin with'],
  ])('refuses "%s" and says why', (text, problem) => {
    expect(() => parseTarget(text)).toThrow(OvsdbTargetError);
    expect(() => parseTarget(text)).toThrow(problem);
  });
});
