--TEST--
A port speaks the versions of TLS and uses the suites and groups that it was told
--EXTENSIONS--
rotor
posix
pcntl
openssl
--SKIPIF--
<?php
exec('command -v openssl', $found) || print('skip needs openssl (make test-tools)');
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$start = fn (array $settings) => TestServer::start(TLS_SERVER, env: ['CERTS' => $certificates->directory, 'SETTINGS' => json_encode($settings)]);

/** What openssl s_client has come to. */
function outcome(TestServer $server, string ...$options): string
{
    $told = run_client('openssl', 's_client', '-connect', "127.0.0.1:$server->port", ...$options);
    preg_match('/^New, (\S+), Cipher is (\S+)/m', $told, $match);
    return ($match[2] ?? '(NONE)') === '(NONE)' ? 'refused' : "$match[1] $match[2]";
}

foreach ([0, 32, 64, 96] as $bits) {
    $server = $start(['ssl_protocols' => $bits]);
    echo "$bits: ", outcome($server, '-tls1_2'), ', ', outcome($server, '-tls1_3'), ', ', outcome($server, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'), "\n";
    $server->stop();
}

$server = $start(['ssl_ciphers' => 'CHACHA20:AES128+EECDH']);
echo outcome($server, '-tls1_2'), "\n", outcome($server, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384'), "\n";
echo outcome($server, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'), "\n", outcome($server, '-tls1_3'), "\n";
$server->stop();

$server = $start(['ssl_ciphers' => 'CHACHA20:AES256', 'ssl_prefer_server_ciphers' => false, 'ssl_ecdh_curve' => 'secp384r1']);
echo outcome($server, '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305'), "\n";
preg_match('/^Server Temp Key: (.*)$/m', run_client('openssl', 's_client', '-connect', "127.0.0.1:$server->port"), $match);
echo $match[1], ', ', outcome($server, '-groups', 'X25519'), "\n";
$server->stop();

$server = $start(['ssl_ciphers' => 'TLS_CHACHA20_POLY1305_SHA256:HIGH']);
echo outcome($server, '-tls1_3'), "\n";
$server->stop();
?>
--EXPECT--
0: TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384, TLSv1.3 TLS_AES_256_GCM_SHA384, refused
32: TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384, refused, refused
64: refused, TLSv1.3 TLS_AES_256_GCM_SHA384, refused
96: TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384, TLSv1.3 TLS_AES_256_GCM_SHA384, refused
TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305
refused
TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256
TLSv1.3 TLS_AES_256_GCM_SHA384
TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384
ECDH, secp384r1, 384 bits, refused
TLSv1.3 TLS_CHACHA20_POLY1305_SHA256
