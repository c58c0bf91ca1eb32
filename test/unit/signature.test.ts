/** Ed25519 signatures of documents against those of OpenSSL 3 and of the platform's own WebCrypto, and keys as people hand them on. */
import { Point, verifyAsync } from '@noble/ed25519';
import { describe, expect, test } from 'vitest';
import { readPublisherKey, signedBytes } from '../../sdk/contract/signature.ts';
import { isSignedBy } from '../../sdk/hub/publishers.ts';

/** Made by `openssl genpkey -algorithm ed25519`, and `openssl pkeyutl -sign -rawin` over the canonical text below. */
const pem = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAOb/0AQzK0sZTRq5cAMlUSJPTzd8R5gv/oNpoAepnHSI=
-----END PUBLIC KEY-----
`;
const key = 'ed25519-Ob/0AQzK0sZTRq5cAMlUSJPTzd8R5gv/oNpoAepnHSI=' as const;
const content = { b: { x: null }, a: [1.0, 0.5, 'é'] };
const canonical = '{"a":[1,0.5,"é"],"b":{"x":null}}';
const signature = '2+E013eiiNqnNZ35nIxluH3v7uEqaxAwVPWA9tw3WUjdmtaa6/g8ww+3xcyGe2SWEe4dhQN5uJJbSg1QncJeDA==';

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

test('what is signed is the content in the form of RFC 8785', () => {
  expect(new TextDecoder().decode(signedBytes(content))).toBe(canonical);
  const keys = { '10': 1, '9': 2, '\u20ac': 3, '\r': 4, '\u{1f600}': 5, '\ufb33': 6, A: { b: 1, a: -0 } };
  const expected = '{"\\r":4,"10":1,"9":2,"A":{"a":0,"b":1},"\u20ac":3,"\u{1f600}":5,"\ufb33":6}';
  expect(new TextDecoder().decode(signedBytes(keys))).toBe(expected);
});

describe('a signature', () => {
  test('of OpenSSL holds, and holds for nothing else', async () => {
    expect(await isSignedBy(content, { key, signature })).toBe(true);
    expect(await isSignedBy({ ...content, c: 1 }, { key, signature })).toBe(false);
    expect(await isSignedBy({ ...content, a: [1, 0.5, 'e'] }, { key, signature })).toBe(false);
    const broken = `3${signature.slice(1)}`;
    expect(await isSignedBy(content, { key, signature: broken })).toBe(false);
    const other = `ed25519-Pb${key.slice(10)}` as const;
    expect(await isSignedBy(content, { key: other, signature })).toBe(false);
  });

  test('of the platform holds', async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
    const made = new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, signedBytes(content)));
    const own = `ed25519-${base64(raw)}` as const;
    expect(await isSignedBy(content, { key: own, signature: base64(made) })).toBe(true);
    expect(await isSignedBy(content, { key, signature: base64(made) })).toBe(false);
  });

  test('by a key of small order, which fits whatever is signed, holds for nothing', async () => {
    const neutral = new Uint8Array(32);
    neutral[0] = 1;
    // R the neutral point, S zero: S B = R + h A for every h.
    const forged = new Uint8Array(64);
    forged[0] = 1;
    const odd = `ed25519-${base64(neutral)}` as const;
    expect(await isSignedBy(content, { key: odd, signature: base64(forged) })).toBe(false);
    // The library agrees that it would fit, by the laxer rule.
    expect(await verifyAsync(forged, signedBytes(content), neutral, { zip215: true })).toBe(true);
  });
});

test('keys of small order, all five and their opposites, hold for nothing', async () => {
  const order8 = Uint8Array.from(
    [...'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'.matchAll(/../g)].map(([pair]) =>
      Number.parseInt(pair, 16),
    ),
  );
  const first = Point.fromBytes(order8);
  let point = first;
  for (let times = 1; times <= 8; times++, point = point.add(first)) {
    expect(point.isSmallOrder()).toBe(true);
    const odd = `ed25519-${base64(point.toBytes())}` as const;
    const neutral = new Uint8Array(64);
    neutral[0] = 1;
    expect(await isSignedBy(content, { key: odd, signature: base64(neutral) })).toBe(false);
  }
});

describe('a public key', () => {
  test('is read as it is and from PEM, with any line ends', () => {
    for (const text of [key, ` ${key}\n`, pem, pem.replaceAll('\n', '\r\n'), pem.trim()]) {
      expect(readPublisherKey(text)).toBe(key);
    }
  });

  test.each([
    '',
    'ed25519-short',
    key.slice(0, -1),
    pem.replace('PUBLIC', 'PRIVATE'),
    pem.replace('MCow', 'MCox'),
    pem.replace('MCowBQYDK2VwAyEA', 'MCowBQYDK2VuAyEA'),
    pem.replace('HSI=', '===='),
    `${pem}${pem}`,
  ])('is not %j', (text) => {
    expect(readPublisherKey(text)).toBeNull();
  });
});
