--TEST--
With ssl_verify_peer a client shows a certificate that leads to a trusted one, and every process is shown it
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
$certificates->authority('ca');
$certificates->authority('between', 'ca');
$certificates->authority('other');
$certificates->issue('server', 'ca');
$certificates->issue('client', 'ca');
$certificates->issue('far', 'between');
$certificates->issue('stranger', 'other');
$certificates->issue('host', 'ca', for: 'serverAuth');
$certificates->selfSigned('self');
file_put_contents($certificates->path('chain.crt'), file_get_contents($certificates->path('far.crt')) . file_get_contents($certificates->path('between.crt')));
copy($certificates->path('far.key'), $certificates->path('chain.key'));

$script = <<<'PHP'
    $certs = getenv('CERTS');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $server->set(json_decode(str_replace('CERTS', $certs, getenv('SETTINGS')), true) + [
        'worker_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'log_level' => 2, 'ssl_verify_peer' => true,
        'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key",
    ]);
    $who = fn ($fd) => openssl_x509_parse($server->getClientInfo($fd)['ssl_client_cert'])['subject']['CN'];
    $server->on('connect', fn ($server, $fd) => note("connect " . $who($fd)));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($who) {
        if ($data === 'others') {
            $names = [];
            foreach ($server->connections as $other) {
                $names[$other] = $who($other);
            }
            ksort($names);
            return $server->send($fd, getmypid() . ' ' . json_encode($names) . "\n");
        }
        $server->send($fd, $data);
    });
    $server->on('close', fn ($server, $fd) => note("close " . $who($fd)));
    $server->start();
    PHP;
$start = fn (array $settings) => TestServer::start($script, env: ['CERTS' => $certificates->directory, 'SETTINGS' => json_encode($settings)]);
$connect = fn (TestServer $server, ?string $name) => new TlsClient($server->port, $name === null ? [] : [
    'local_cert' => $certificates->path("$name.crt"), 'local_pk' => $certificates->path("$name.key"),
]);
$names = ['client', 'chain', 'far', 'stranger', 'host', 'self', null];
$taken = fn (TestServer $server) => implode(' ', array_filter($names, fn ($name) => !is_refused(fn () => $connect($server, $name))));

mkdir($folder = $certificates->path('folder'));
copy($certificates->path('ca.crt'), "$folder/whatever");
foreach ([
    ['ssl_client_cert_file' => 'CERTS/ca.crt'],
    ['ssl_cafile' => 'CERTS/ca.crt', 'ssl_verify_depth' => 1],
    ['ssl_capath' => 'CERTS/folder', 'ssl_client_cert_file' => 'CERTS/other.crt'],
    ['ssl_cafile' => 'CERTS/ca.crt', 'ssl_allow_self_signed' => true],
    ['ssl_cafile' => 'CERTS/self.crt'],
] as $settings) {
    $server = $start($settings);
    echo json_encode(array_keys($settings)), ': ', $taken($server), "\n";
    $server->waitForLog('/the TLS handshake has failed: the client shows no certificate \(ssl_verify_peer\) \(error 1013\); closing/');
    $server->waitForLog('/the TLS handshake has failed: .* \(error 1014\); closing/');
    $server->stop();
}
unlink("$folder/whatever");
rmdir($folder);

$server = $start(['ssl_client_cert_file' => 'CERTS/ca.crt']);
$clients = [$connect($server, 'client'), $connect($server, 'chain'), $connect($server, 'client')];
foreach ($clients as $client) {
    $client->exchange('x');
}
$ask = function (TlsClient $client): array {
    $client->write('others');
    return explode(' ', trim(fgets($client->stream)), 2);
};
[$one, $told] = $ask($clients[0]);
[$two, $same] = $ask($clients[1]);
echo $told, ' ', json_encode($one !== $two && $told === $same), "\n";
$server->signal(SIGUSR1);
$server->waitFor(fn () => $ask($clients[0])[0] !== $one, 'the successor');
echo $ask($clients[0])[1], "\n";
foreach ($clients as $client) {
    $client->close();
}
$server->waitForNote('close client', 2);
$server->waitForNote('close far');
// Two workers tell of them, each in its own time.
$notes = preg_grep('/^connect/', $server->notes());
sort($notes);
echo implode(', ', $notes), "\n";
$server->stop();
?>
--EXPECT--
["ssl_client_cert_file"]: client chain
["ssl_cafile","ssl_verify_depth"]: client chain
["ssl_capath","ssl_client_cert_file"]: client chain stranger
["ssl_cafile","ssl_allow_self_signed"]: client chain self
["ssl_cafile"]: self
{"1":"client","2":"far","3":"client"} true
{"1":"client","2":"far","3":"client"}
connect client, connect client, connect far
