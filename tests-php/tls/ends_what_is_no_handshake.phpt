--TEST--
What is no TLS, breaks off or does not go on is closed, counted and told of, and no callback hears of it
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
$server = TestServer::start(TLS_SERVER, env: ['CERTS' => $certificates->directory]);

// Ten seconds are what a handshake may take: this one has begun, that one has not.
$silent = $server->connect();
$stuck = $server->connect();
$stuck->write("\x16\x03\x01\x02\x00\x01");
$drips = $server->connect();

$text = $server->connect();
$text->write("GET / HTTP/1.1\r\n\r\n");
echo bin2hex($text->readToEnd()), " is an alert\n";
$server->waitForLog('/the TLS handshake has failed: what came is no TLS: \w+ \(error 1015\); closing/');

$older = $server->connect();
$older->write("\x15\x03\x01\x00\x02\x02\x28");
$older->readToEnd();

$left = $server->connect();
$left->write("\x16\x03\x01\x00");
$left->close();
$server->waitForLog('/the client has left in the TLS handshake \(error 1017\)/');

$good = new TlsClient($server->port);
$good->exchange('meanwhile');

// A byte now and then is not going on.
$server->waitFor(function () use ($drips) {
    usleep(100_000);
    return @fwrite($drips->stream, "\x16") !== 1 || feof($drips->stream);
}, 'the one that drips to be closed');
$silent->readToEnd();
$stuck->readToEnd();
$server->waitForLog('/no TLS handshake within 10 s; closing/');

$stats = ask($good, 'stats');
echo json_encode($stats), "\n";
$good->close();
$server->waitFor(fn () => count($server->notes()) === 2);
echo preg_replace('/\d+/', 'N', implode(', ', $server->notes())), "\n";
$server->stop();
?>
--EXPECT--
15030300020232 is an alert
{"ssl_handshakes":1,"ssl_resumptions":0,"ssl_failed_handshakes":6,"ssl_truncations":0}
connect N, close N by the client
