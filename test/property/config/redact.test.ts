import fc from 'fast-check';
import { redacted } from '../../../core/config';

const secret = fc.stringMatching(/^[ -~é]{6,20}$/).filter((text) => !/^[0-9*]+$/.test(text) && text.trim() !== '');

test('no password of a transport_url is ever shown, however it is written', () => {
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 3 }), (secrets) => {
      const url = `rabbit://${secrets.map((each, place) => `u${place}:${each}@h${place}:5672`).join(',')}/vhost`;
      const shown = String(redacted('transport_url', url));
      for (const each of secrets) {
        const rest = shown.replaceAll(/u\d|h\d:5672|vhost|rabbit|\*\*\*/g, '');
        expect(rest.includes(each)).toBe(false);
      }
    }),
  );
});

test('nor one that begins with an @ and has a comma, with which it looks like two hosts', () => {
  const shown = redacted('transport_url', 'rabbit://u0:@abc,de@h0:5672,u1:secret@h1:5672/vhost');
  expect(shown).toBe('rabbit://***@h1:5672/vhost');
});

test('what is called a password or secret is never shown, at any depth', () => {
  fc.assert(
    fc.property(
      secret,
      fc.constantFrom('password', 'rabbit_password', 'shared_secret', 'admin_passwd'),
      (value, name) => {
        expect(JSON.stringify(redacted('options', { deep: [{ [name]: value }] }))).toBe(`{"deep":[{"${name}":"***"}]}`);
      },
    ),
  );
});

test('what holds no secret is shown as it is', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('rabbit://h:5672/', 'rabbit://', 'rabbit://[::1]:5672/v', 'tcp:127.0.0.1:6640', 'br-int'),
      (value) => {
        expect(redacted('connection', value)).toBe(value);
      },
    ),
  );
});
