// The construction of the encryption sample of Temporal's TypeScript SDK, on WebCrypto: a 12-byte IV, then the
// ciphertext with its 128-bit tag, over the serialized payload. One JSON request on stdin, one answer on stdout.
import { webcrypto as crypto } from 'node:crypto';
import { readFileSync } from 'node:fs';

const IV = 12;
const { action, key, keyId, payload } = JSON.parse(readFileSync(0, 'utf8'));
const cryptoKey = await crypto.subtle.importKey(
  'raw', Buffer.from(key, 'base64'), { name: 'AES-GCM' }, true, ['encrypt', 'decrypt']);

if (action === 'encode') {
  const iv = crypto.getRandomValues(new Uint8Array(IV));
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, tagLength: 128 }, cryptoKey, Buffer.from(payload, 'base64'));
  const data = Buffer.concat([iv, Buffer.from(sealed)]);
  const metadata = {
    encoding: Buffer.from('binary/encrypted').toString('base64'),
    'encryption-key-id': Buffer.from(keyId).toString('base64'),
  };
  console.log(JSON.stringify({ metadata, data: data.toString('base64') }));
} else {
  const { metadata, data } = payload;
  if (Buffer.from(metadata.encoding, 'base64').toString() !== 'binary/encrypted') throw new Error('encoding');
  if (Buffer.from(metadata['encryption-key-id'], 'base64').toString() !== keyId) throw new Error('key id');
  const bytes = Buffer.from(data, 'base64');
  const plain = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv: bytes.subarray(0, IV), tagLength: 128 }, cryptoKey, bytes.subarray(IV));
  console.log(JSON.stringify({ payload: Buffer.from(plain).toString('base64') }));
}
