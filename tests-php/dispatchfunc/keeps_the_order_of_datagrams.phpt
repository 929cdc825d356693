--TEST--
Datagrams that dispatch_func deals out reach their workers in order, none is lost while workers are replaced, and a stop answers what has come; sendto() works from every process
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/datagrams.inc.php';

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'), Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_UDP);
    $server->set([
        'worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG'), 'task_tmpdir' => getenv('ROTOR_TMP'), 'max_request' => 700,
        'dispatch_func' => function ($server, $from, $type, $data) {
            if ($data === 'from the function') {
                note('sent ' . json_encode($server->sendto('127.0.0.1', (int) file_get_contents(getenv('ROTOR_TMP') . '/port'), $data)));
            }
            return is_numeric($data) ? $data % 2 : -3;
        },
    ]);
    $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $server->on('start', fn () => ready());
    $server->on('receive', fn () => null);
    $server->on('packet', function ($server, $data, $client) {
        if (is_numeric($data)) {
            $server->sendto($client['address'], $client['port'], "$server->worker_id $data");
        } elseif ($data === 'slow') {
            note('slow begins');
            usleep(300_000);
            $server->sendto($client['address'], $client['port'], $data);
        } elseif ($data === 'last') {
            $server->sendto($client['address'], $client['port'], $data);
        }
    });
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->start();
    PHP);
$client = new DatagramClient('127.0.0.1', $server->port);
const WINDOW = 20;
for ($number = 0; $number < 4000; $number += WINDOW) {
    for ($i = 0; $i < WINDOW; $i++) {
        $client->send((string) ($number + $i));
    }
    $answers = [[], []];
    for ($i = 0; $i < WINDOW; $i++) {
        [$worker, $answer] = explode(' ', $client->receive());
        $answers[$worker][] = (int) $answer;
    }
    foreach ([0, 1] as $worker) {
        if ($answers[$worker] !== range($number + $worker, $number + WINDOW - 1, 2)) {
            echo "worker $worker at $number: ", json_encode($answers[$worker]), "\n";
        }
    }
    if ($number % 1000 === 500) {
        $server->signal(SIGUSR1);
    }
}
$server->waitForNote('reloaded true', 1);
file_put_contents("$server->tmp/port", $client->port());
echo $client->exchange('from the function'), "\n";
unlink("$server->tmp/port");
$client->send('slow');
$server->waitForNote('slow begins');
$client->send('last');
$server->signal(SIGTERM);
$answers = [$client->receive(), $client->receive()];
sort($answers);
echo implode(' ', $answers), "\n";
$server->wait();
echo implode(' ', preg_grep('/^sent/', $server->notes())), "\n";
?>
--EXPECT--
from the function
last slow
sent true
