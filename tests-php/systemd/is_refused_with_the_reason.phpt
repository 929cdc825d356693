--TEST--
What systemd has not passed, or nobody can serve, is refused with the reason, and nothing is taken
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/systemd.inc.php';

$script = <<<'PHP'
    foreach (json_decode($argv[1], true) as $name => $value) {
        putenv($value === null ? $name : "$name=" . str_replace('PID', (string) getmypid(), $value));
    }
    try {
        new Rotor\Server('SYSTEMD', 0);
        echo "taken\n";
    } catch (Rotor\Exception $exception) {
        echo preg_replace(['/process \d+/', '/descriptor \d+/'], ['process PID', 'descriptor N'], $exception->getMessage()), "\n";
    }
    PHP;
$sockets = new PassedSockets('tcp://127.0.0.1:0', 'udp://127.0.0.1:0');
$first = $sockets->env()['LISTEN_FDS_START'];
$before = PassedSockets::numbers();
$connection = stream_socket_client('tcp://' . $sockets->name(0));
[$connected] = array_values(array_diff(PassedSockets::numbers(), $before));
$before = PassedSockets::numbers();
$peer = stream_socket_client('udp://' . $sockets->name(1));
[$connected_udp] = array_values(array_diff(PassedSockets::numbers(), $before));
$before = PassedSockets::numbers();
$nameless = socket_create(AF_UNIX, SOCK_DGRAM, 0);
[$without_name] = array_values(array_diff(PassedSockets::numbers(), $before));
foreach ([
    ['LISTEN_FDS' => null],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => null],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => '1'],
    ['LISTEN_FDS' => '0', 'LISTEN_PID' => 'PID'],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => '1'],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => '500'],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => '3'],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => (string) $connected],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => (string) $connected_udp],
    ['LISTEN_FDS' => '1', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => (string) $without_name],
    ['LISTEN_FDS' => '2', 'LISTEN_PID' => 'PID', 'LISTEN_FDS_START' => $first],
] as $env) {
    echo TestServer::run($script, args: [json_encode($env)])[1];
}
[, $output] = TestServer::run(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', 0);
    foreach ([Rotor\Server::SOCK_TCP, Rotor\Server::SOCK_UNIX_STREAM] as $type) {
        try {
            $server->listen('Systemd', 0, $type);
        } catch (Rotor\Exception $exception) {
            echo $exception->getMessage(), "\n";
        }
    }
    PHP);
echo $output;
?>
--EXPECT--
Rotor\Server::__construct(): $host is "SYSTEMD", but LISTEN_FDS is not set: nobody has passed sockets; let a .socket unit of systemd start this, or give an address
Rotor\Server::__construct(): $host is "SYSTEMD", but LISTEN_PID is not set: it is not known whose the sockets are
Rotor\Server::__construct(): $host is "SYSTEMD", but LISTEN_PID is "1", and this is process PID: the sockets are another's
Rotor\Server::__construct(): $host is "SYSTEMD", but LISTEN_FDS must be 1 to 32768, "0" given
Rotor\Server::__construct(): $host is "SYSTEMD", but LISTEN_FDS_START must be a descriptor from 3 on, "1" given
Rotor\Server::__construct(): descriptor N of LISTEN_FDS is not open
Rotor\Server::__construct(): descriptor N of LISTEN_FDS is no socket
Rotor\Server::__construct(): descriptor N of LISTEN_FDS is a stream socket that does not listen (Accept=yes in its unit?)
Rotor\Server::__construct(): descriptor N of LISTEN_FDS is a datagram socket that is connected to one peer
Rotor\Server::__construct(): descriptor N of LISTEN_FDS is a datagram socket without a name, to which nobody can send
taken
Rotor\Server::listen(): $host is "SYSTEMD": the sockets of systemd are the constructor's, all of them; give an address
Rotor\Server::listen(): $host is "SYSTEMD": the sockets of systemd are the constructor's, all of them; give an address
