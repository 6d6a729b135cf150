import assert from 'node:assert/strict';
import { parseChallenges } from '../../../engine/camera/challenges';
import { digestAuthorization, digestStrength } from '../../../engine/camera/digest';

describe('parseChallenges', () => {
  it('reads several challenges out of one header, with commas inside quotes (RFC 7616, section 3.9.1)', () => {
    const header =
      'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf", opaque="FQhe", ' +
      'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, nonce="7ypf", opaque="FQhe"';
    const parameters = { realm: 'http-auth@example.org', qop: 'auth, auth-int', nonce: '7ypf', opaque: 'FQhe' };
    assert.deepEqual(parseChallenges(header), [
      { scheme: 'digest', parameters: { ...parameters, algorithm: 'SHA-256' } },
      { scheme: 'digest', parameters: { ...parameters, algorithm: 'MD5' } },
    ]);
  });

  it('reads challenges without parameters, with a token68, and with odd spaces (RFC 9110, section 11.6.1)', () => {
    assert.deepEqual(parseChallenges('Negotiate, NTLM TlRMTVNTUAAB==, Basic realm = "a \\"b\\"" ,,charset=UTF-8'), [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'ntlm', parameters: {} },
      { scheme: 'basic', parameters: { realm: 'a "b"', charset: 'UTF-8' } },
    ]);
  });

  it('keeps what it understood of a broken header', () => {
    assert.deepEqual(parseChallenges(''), []);
    assert.deepEqual(parseChallenges('realm="x"'), []);
    assert.deepEqual(parseChallenges('Basic realm="camera", Digest realm="unended'), [
      { scheme: 'basic', parameters: { realm: 'camera' } },
      { scheme: 'digest', parameters: {} },
    ]);
  });
});

describe('digestAuthorization', () => {
  const mufasa = { username: 'Mufasa', password: 'Circle of Life' };
  const rfc7616 = {
    realm: 'http-auth@example.org',
    qop: 'auth, auth-int',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  };
  const request = {
    method: 'GET',
    uri: '/dir/index.html',
    count: 1,
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };

  function responseOf(header: string): string | undefined {
    return /response="([^"]*)"/.exec(header)?.[1];
  }

  it('gives the MD5 header of RFC 7616, section 3.9.1', () => {
    assert.equal(
      digestAuthorization({ ...rfc7616, algorithm: 'MD5' }, mufasa, request),
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, ' +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, ' +
        'response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    );
  });

  it('gives the SHA-256 response of RFC 7616, section 3.9.1', () => {
    const header = digestAuthorization({ ...rfc7616, algorithm: 'SHA-256' }, mufasa, request);
    assert.equal(responseOf(header), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
  });

  it('hashes and escapes the user name as section 3.9.2 of RFC 7616 asks', () => {
    // The RFC prints hashes there that do not belong to its inputs; these are of Python's hashlib.
    const challenge = {
      realm: 'api@example.org',
      qop: 'auth',
      algorithm: 'SHA-512-256',
      nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
      charset: 'UTF-8',
    };
    const jason = { username: 'Jäsøn Doe', password: 'Secret, or not?' };
    const doe = { method: 'GET', uri: '/doe.json', count: 1, cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v' };
    const hashed = digestAuthorization({ ...challenge, userhash: 'true' }, jason, doe);
    assert.match(hashed, /username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"/);
    assert.match(hashed, /userhash=true$/);
    assert.equal(responseOf(hashed), '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5');
    const plain = digestAuthorization(challenge, jason, doe);
    assert.match(plain, /username\*=UTF-8''J%C3%A4s%C3%B8n%20Doe,/);
  });

  it('gives the MD5 response of RFC 2617, section 3.5', () => {
    const challenge = {
      realm: 'testrealm@host.com',
      qop: 'auth,auth-int',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
    };
    const credentials = { username: 'Mufasa', password: 'Circle Of Life' };
    const header = digestAuthorization(challenge, credentials, { ...request, cnonce: '0a4f113b' });
    assert.equal(responseOf(header), '6629fae49393a05397450978507c4ef1');
    assert.doesNotMatch(header, /algorithm/);
  });

  it('answers cameras of the old kind, which know no qop (value of Python hashlib)', () => {
    const challenge = { realm: 'testrealm@host.com', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' };
    const header = digestAuthorization(challenge, { username: 'Mufasa', password: 'Circle Of Life' }, request);
    assert.equal(responseOf(header), '670fd8c2df070c60b045671b8b24ff02');
    assert.doesNotMatch(header, /qop|nc=|cnonce/);
  });

  it('knows session keys and auth-int (values of Python hashlib)', () => {
    const session = digestAuthorization({ ...rfc7616, algorithm: 'SHA-256-sess' }, mufasa, request);
    assert.equal(responseOf(session), '2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7');
    const body = digestAuthorization({ ...rfc7616, algorithm: 'SHA-256', qop: 'auth-int' }, mufasa, request);
    assert.equal(responseOf(body), '8bdf6f15638e260831e905028de5450562816d093c9bfc5c13d3a46adcdde940');
  });

  it('counts in eight hexadecimal digits', () => {
    assert.match(digestAuthorization(rfc7616, mufasa, { ...request, count: 255 }), /nc=000000ff,/);
  });

  it('ranks algorithms by strength and does not know others', () => {
    assert.ok(digestStrength('SHA-256') > digestStrength('MD5'));
    assert.equal(digestStrength(undefined), digestStrength('md5-sess'));
    assert.equal(digestStrength('SHA3'), -1);
  });
});
