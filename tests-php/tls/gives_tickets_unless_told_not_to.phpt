--TEST--
A client comes back with its ticket, also in another worker and after a reload, unless ssl_session_tickets is off
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
exec('command -v openssl', $found) || print('skip needs openssl (make test-tools)');
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';

$certificates = new TestCertificates();
$certificates->authority('ca');
$certificates->issue('server', 'ca');
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), sock_type: Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $files = ['ssl_cert_file' => getenv('CERTS') . '/server.crt', 'ssl_key_file' => getenv('CERTS') . '/server.key'];
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')] + $files);
    $without = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $without->set(['ssl_session_tickets' => false] + $files);
    note((string) $without->port);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, "in worker $server->worker_id");
        $server->close($fd);
    });
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->on('shutdown', fn ($server) => note(json_encode(array_intersect_key(
        $server->stats(), ['ssl_handshakes' => 0, 'ssl_resumptions' => 0, 'ssl_failed_handshakes' => 0],
    ))));
    $server->start();
    PHP, env: ['CERTS' => $certificates->directory]);
[$without] = $server->notes();
/** What openssl says of a connection: a new session, or one that it had in $file; its next one goes there. */
$connect = function (int|string $port, string $version, string $file) use ($certificates): string {
    $file = $certificates->path($file);
    $known = file_exists($file) ? "-sess_in $file" : '';
    $command = "echo hello | openssl s_client -connect 127.0.0.1:$port -$version $known -sess_out $file -ign_eof 2>&1";
    preg_match('/^(New|Reused), (TLSv1\.\d), /m', $output = (string) shell_exec($command), $said) || print($output);
    preg_match('/in worker (\d)/', $output, $answered) || print($output);
    return "$said[1] $said[2] in worker $answered[1]";
};
foreach (['tls1_2', 'tls1_3'] as $version) {
    echo 'with tickets: ', $connect($server->port, $version, $version), ', ', $connect($server->port, $version, $version), "\n";
    echo 'without: ', $connect($without, $version, "$version-without"), ', ', $connect($without, $version, "$version-without"), "\n";
}
$server->signal(SIGUSR1);
$server->waitForNote('reloaded true');
echo 'after a reload: ', $connect($server->port, 'tls1_2', 'tls1_2'), ', ', $connect($server->port, 'tls1_3', 'tls1_3'), "\n";
$server->stop();
echo $server->notes()[2], "\n";
?>
--EXPECT--
with tickets: New TLSv1.2 in worker 1, Reused TLSv1.2 in worker 0
without: New TLSv1.2 in worker 1, New TLSv1.2 in worker 0
with tickets: New TLSv1.3 in worker 1, Reused TLSv1.3 in worker 0
without: New TLSv1.3 in worker 1, New TLSv1.3 in worker 0
after a reload: Reused TLSv1.2 in worker 1, Reused TLSv1.3 in worker 0
{"ssl_handshakes":10,"ssl_resumptions":4,"ssl_failed_handshakes":0}
