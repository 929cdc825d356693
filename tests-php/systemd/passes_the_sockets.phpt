--TEST--
$host "SYSTEMD" takes the sockets that systemd has opened, each as a port; files and clients that wait stay for the next server
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/systemd.inc.php';

$script = <<<'PHP'
    $first = (int) getenv('LISTEN_FDS_START');
    $server = new Rotor\Server('systemd');
    foreach ($server->ports as $port) {
        note(implode(' ', [$port->host, $port->port > 0 ? 'PORT' : 0, $port->type, $port->sock]));
    }
    note(implode(' ', [$server->host, $server->port === $server->ports[0]->port ? 'PORT' : 0, $server->type]));
    note(json_encode(array_map(getenv(...), ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDS_START', 'LISTEN_FDNAMES'])));
    note('children see ' . trim(shell_exec('env | grep -c ^LISTEN_')) . ' and have ' . count(array_filter(
        range($first, $first + 2), fn ($number) => trim(shell_exec("readlink /proc/\$\$/fd/$number") ?? '') !== '',
    )));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'unix_socket_mode' => 0600]);
    $server->ports[1]->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "unix: $data"));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, "tcp: $data"));
    $server->on('start', fn () => ready());
    $server->start();
    PHP;
$path = sys_get_temp_dir() . '/rotor-systemd-' . getmypid();
$sockets = new PassedSockets('tcp://127.0.0.1:0', "unix://$path", 'tcp://[::1]:0');
chmod($path, 0640);
$client = fn (): array => array_map(fn ($address) => new TestClient($address), ['tcp://' . $sockets->name(0), "unix://$path", 'tcp://' . $sockets->name(2)]);
// Before there is a server, while it runs, and for the next one.
$early = $client();
for ($n = 1; $n <= 2; $n++) {
    $server = TestServer::start($script, env: $sockets->env(), prefix: PassedSockets::prefix());
    foreach ([...$early, ...$client()] as $place => $each) {
        echo $each->exchange('hello', $place % 3 === 1 ? 11 : 10), $place % 3 === 2 ? "\n" : ', ';
    }
    $server->stop();
    $early = $client();
}
printf("%s %o\n", file_exists($path) ? 'the file stays' : 'the file is gone', fileperms($path) & 0777);
unlink($path);
echo str_replace($path, 'PATH', implode("\n", $server->notes())), "\n";
?>
--EXPECT--
tcp: hello, unix: hello, tcp: hello
tcp: hello, unix: hello, tcp: hello
tcp: hello, unix: hello, tcp: hello
tcp: hello, unix: hello, tcp: hello
the file stays 640
127.0.0.1 PORT 1 0
PATH 0 5 1
::1 PORT 3 2
127.0.0.1 PORT 1
[false,false,false,false]
children see 0 and have 0
