--TEST--
A reload reads the certificates again, leaves open connections as they are, and keeps the old ones when the new cannot be used
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
foreach (['server', 'next', 'last'] as $name) {
    $certificates->selfSigned($name);
}
$replace = function (string $name) use ($certificates): void {
    foreach (['crt', 'key'] as $kind) {
        copy($certificates->path("$name.$kind"), $certificates->path("server.$kind"));
    }
};
$script = str_replace("if (\$data === 'stats')", "if (\$data === 'reload') {\n \$data = json_encode(\$server->reload());\n } elseif (\$data === 'stats')", TLS_SERVER);
$server = TestServer::start($script, env: ['CERTS' => $certificates->directory]);
$connect = fn () => new TlsClient($server->port, ['capture_peer_cert' => true]);
$reload = function (callable $ask) use ($server): void {
    $count = preg_match_all('/reloaded|cannot be replaced/', $server->log());
    $ask();
    $server->waitFor(fn () => preg_match_all('/reloaded|cannot be replaced/', $server->log()) > $count, 'the end of the reload');
};

$old = $connect();
echo $old->peer(), ': ', $old->exchange('first'), "\n";

$replace('next');
$server->signal(SIGUSR1);
$server->waitForLog('/notice master .*certificates of 127\.0\.0\.1:\d+ were read again/');
$new = $connect();
echo $new->peer(), ': ', $new->exchange('second'), "\n";
echo $old->exchange('still there'), "\n";

$server->expectLog('/error master .*certificates of 127\.0\.0\.1:\d+ stay as they were: ssl_key_file .* has no private key in PEM form/');
file_put_contents($certificates->path('server.key'), 'broken');
$server->signal(SIGUSR1);
$server->waitForLog('/stay as they were/');
$same = $connect();
echo $same->peer(), ': ', $same->exchange('third'), "\n";

$replace('last');
$server->waitFor(function () use ($old) {
    $old->write('reload');
    return $old->read(4) === 'true' || ($old->read(1) && false);
}, 'the reload before to be over');
$server->waitFor(fn () => preg_match_all('/were read again/', $server->log()) === 2);
$last = $connect();
echo $last->peer(), ': ', $last->exchange('fourth'), "\n";
echo $old->exchange('old'), ' ', $new->exchange('new'), ' ', $same->exchange('same'), "\n";
foreach ([$old, $new, $same, $last] as $client) {
    $client->close();
}
$server->stop();
?>
--EXPECT--
server: first
next: second
still there
next: third
last: fourth
old new same
