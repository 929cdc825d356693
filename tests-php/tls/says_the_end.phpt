--TEST--
A close sends what is queued and says the end in TLS; who ends without is counted, who sends on behind it has its answer
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
$server = TestServer::start(<<<'PHP'
    $certs = getenv('CERTS');
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'log_level' => 2, 'socket_buffer_size' => '32M',
        'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key",
    ]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === 'stats') {
            return $server->send($fd, json_encode($server->stats()) . "\n");
        }
        if ($data === 'answer') {
            return $server->send($fd, str_repeat('y', 6 << 20));
        }
        if ($data === 'stop') {
            $server->send($fd, str_repeat('z', 4 << 20));
            return $server->shutdown();
        }
        $server->send($fd, str_repeat('x', (int) $data));
        $server->send($fd, 'end');
        $server->close($fd);
    });
    $server->on('close', fn ($server, $fd) => note('closed, errno ' . $server->getClientInfo($fd)['close_errno']));
    $server->start();
    PHP, env: ['CERTS' => $certificates->directory]);

// s_client tells an end that was said ("closed", 0) from one that was not.
foreach (['-tls1_2', '-tls1_3'] as $version) {
    foreach ([10, 6 << 20] as $size) {
        $process = proc_open(
            ['openssl', 's_client', '-quiet', $version, '-connect', "127.0.0.1:$server->port"],
            [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']],
            $pipes,
        );
        fwrite($pipes[0], (string) $size);
        $got = stream_get_contents($pipes[1]);
        $told = stream_get_contents($pipes[2]);
        fclose($pipes[0]);
        $code = proc_close($process);
        echo "$version ", strlen($got) - $size, ' ', substr($got, -3), ' ', str_contains($told, 'unexpected eof') ? 'cut off' : 'ended', " $code\n";
    }
}
$client = new TlsClient($server->port);
$client->write('10');
echo $client->readToEnd(), "\n";
$client->close();
$server->waitForNote('closed, errno 0', 5);

// The kernel ends the connection of a client that is killed.
$killed = proc_open(['openssl', 's_client', '-quiet', '-connect', "127.0.0.1:$server->port"], [['pipe', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'w']], $pipes);
fwrite($pipes[0], 'stats');
fgets($pipes[1]);
posix_kill(proc_get_status($killed)['pid'], SIGKILL);
proc_close($killed);
$server->waitForNote('closed, errno 1017');
$server->waitForLog('/the client has ended without saying so in TLS \(error 1017\)/');
$client = new TlsClient($server->port);
$stats = ask($client, 'stats');
echo 'truncations: ', $stats['ssl_truncations'], ', protocol errors: ', $stats['protocol_errors'], "\n";

// What comes behind the end is not read, and must not make the kernel reset the connection with the answer on its way.
$rude = new TlsClient($server->port);
$rude->write('answer');
$rude->read(1);
stream_socket_enable_crypto($rude->stream, false);
$server->waitForNote('closed, errno 0', 6);
fwrite($rude->stream, str_repeat('more', 1000));
echo strlen($rude->readToEnd()) > (6 << 20) - (32 << 10) ? "all of the answer\n" : "something is missing\n";
$rude->close();

// A stop sends what is queued, too.
$client->write('stop');
echo strlen($client->readToEnd()) === 4 << 20 ? "all of it\n" : "something is missing\n";
$client->close();
$server->wait();
?>
--EXPECT--
-tls1_2 3 end ended 0
-tls1_2 3 end ended 0
-tls1_3 3 end ended 0
-tls1_3 3 end ended 0
xxxxxxxxxxend
truncations: 1, protocol errors: 0
all of the answer
all of it
