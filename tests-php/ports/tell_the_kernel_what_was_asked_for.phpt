--TEST--
A listening socket is told what its port was told, whose connections then have it: no connection costs a system call more
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
trim((string) shell_exec('command -v strace')) !== '' || print('skip strace is not installed');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$trace = sys_get_temp_dir() . '/rotor-trace-' . getmypid();
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'backlog' => 77,
        'open_tcp_keepalive' => true, 'tcp_keepidle' => 1000, 'tcp_keepinterval' => 20, 'tcp_keepcount' => 4,
        'tcp_user_timeout' => 30000, 'tcp_defer_accept' => 5, 'tcp_fastopen' => true,
        'kernel_socket_recv_buffer_size' => '8K', 'kernel_socket_send_buffer_size' => 16384,
    ]);
    // Told something, and so nothing else of what the server was told.
    $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP)->set(['open_tcp_nodelay' => false]);
    // On a unix socket the options of TCP mean nothing, and each connection has to be told.
    $server->listen(getenv('ROTOR_TMP') . '/socket', 0, Rotor\Server::SOCK_UNIX_STREAM);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP, prefix: ['strace', '-f', '-o', $trace, '-e', 'trace=setsockopt,listen,accept4']);
// Whether the kernel of this machine allows it is the machine's.
$server->allowLog('/tcp_fastopen on .* has no effect: the kernel does not allow it/');
for ($n = 0; $n < 3; $n++) {
    echo $server->request('hello'), "\n";
}
$unix = new TestClient("unix://$server->tmp/socket");
echo $unix->exchange('hello'), "\n";
// The tracer, which was started, ends with what it traces.
$server->stop(pid: (int) $server->waitForLog('/ master pid=(\d+): serving on /')[1]);
$lines = preg_replace('/^\d+ +/m', '', file_get_contents($trace));
unlink($trace);
$told = [];
foreach (explode("\n", $lines) as $line) {
    if (preg_match('/^setsockopt\((\d+), \S+ ([A-Z_]+), \[(\d+)\], 4\) *= 0/', $line, $match) && $match[2] !== 'SO_REUSEADDR') {
        $told[$match[1]][] = "$match[2] $match[3]";
    } elseif (preg_match('/^listen\((\d+), (\d+)\)/', $line, $match)) {
        echo implode(', ', $told[$match[1]] ?? []), "; listens, $match[2]\n";
        unset($told[$match[1]]);
    }
}
foreach ($told as $connection) {
    echo 'an accepted one: ', implode(', ', $connection), "\n";
}
?>
--EXPECT--
hello
hello
hello
hello
TCP_NODELAY 1, TCP_DEFER_ACCEPT 5, TCP_FASTOPEN 256, SO_KEEPALIVE 1, TCP_KEEPIDLE 1000, TCP_KEEPINTVL 20, TCP_KEEPCNT 4, TCP_USER_TIMEOUT 30000, SO_RCVBUF 8192, SO_SNDBUF 16384; listens, 77
TCP_NODELAY 0; listens, 512
SO_RCVBUF 8192, SO_SNDBUF 16384; listens, 77
an accepted one: SO_RCVBUF 8192, SO_SNDBUF 16384
