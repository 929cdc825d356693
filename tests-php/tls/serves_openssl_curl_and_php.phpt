--TEST--
A port with TLS serves openssl s_client, curl and PHP's streams; the Connect event comes after the handshake
--EXTENSIONS--
rotor
posix
pcntl
openssl
--SKIPIF--
<?php
foreach (['openssl', 'curl'] as $tool) {
    exec("command -v $tool", $found[$tool]) || print("skip needs $tool (make test-tools)");
}
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';

$certificates = new TestCertificates();
$certificates->authority('ca');
$certificates->issue('server', 'ca');
$env = ['CERTS' => $certificates->directory];

$server = TestServer::start(<<<'PHP'
    $certs = getenv('CERTS');
    $ssl = Rotor\Server::SSL;
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | $ssl);
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key"]);
    $plain = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $path = getenv('CERTS') . '/server.sock';
    $unix = $server->listen($path, 0, Rotor\Server::SOCK_UNIX_STREAM | $ssl);
    note("plain $plain->port");
    note(json_encode([$server->ssl, $server->type, $plain->ssl, $unix->ssl, $unix->type]));
    $server->on('connect', fn ($server, $fd) => note("connect $fd"));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if (str_starts_with($data, 'GET ')) {
            $server->send($fd, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            $server->close($fd);
        } elseif ($data === "info\n") {
            $server->send($fd, json_encode(array_filter($server->getClientInfo($fd), fn ($key) => str_starts_with($key, 'ssl'), ARRAY_FILTER_USE_KEY)) . "\n");
        } else {
            $server->send($fd, strtoupper($data));
        }
    });
    $server->on('close', fn ($server, $fd) => note("close $fd"));
    $server->start();
    PHP, env: $env);

preg_match('/plain (\d+)/', implode("\n", $server->notes()), $match);
echo $server->notes()[1], "\n";

// Nobody hears of a client that has not finished its handshake.
$silent = $server->connect();
$address = "127.0.0.1:$server->port";
$ca = $certificates->path('ca.crt');

echo run_client('curl', '-sS', '--cacert', $ca, '--http1.0', "https://localhost:$server->port/", '--resolve', "localhost:$server->port:127.0.0.1"), "\n";
/** Sends a line by openssl s_client, and gives the answer. */
function by_s_client(string $line, string ...$options): string
{
    $command = ['openssl', 's_client', '-quiet', '-no_ign_eof', ...$options];
    $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'w']], $pipes);
    fwrite($pipes[0], $line);
    $answer = (string) fgets($pipes[1]);
    array_map(fclose(...), $pipes);
    proc_close($process);
    return $answer;
}

echo by_s_client("hello\n", '-connect', $address, '-CAfile', $ca, '-verify_return_error');

$client = new TlsClient($server->port, ['cafile' => $ca, 'verify_peer' => true, 'verify_peer_name' => true]);
echo $client->exchange("php\n");
$client->write("info\n");
echo fgets($client->stream);
$client->close();
$older = new TlsClient($server->port, ['crypto_method' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT]);
$older->write("info\n");
echo fgets($older->stream);
$older->close();

echo by_s_client("unix\n", '-unix', $certificates->path('server.sock'));

$plain = new TestClient("tcp://127.0.0.1:$match[1]");
echo $plain->exchange("plain\n");
$plain->close();

$silent->close();
$server->waitFor(fn () => count(preg_grep('/^close/', $server->notes())) === 6);
echo count(preg_grep('/^connect/', $server->notes())), " connections, and the silent one is none\n";
$server->stop();
?>
--EXPECT--
[true,1,false,true,5]
hello
HELLO
PHP
{"ssl_protocol":"TLSv1.3","ssl_cipher":"TLS_AES_256_GCM_SHA384"}
{"ssl_protocol":"TLSv1.2","ssl_cipher":"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}
UNIX
PLAIN
6 connections, and the silent one is none
