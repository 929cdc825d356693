--TEST--
sendfile() works in another worker, a user process, the manager and the master, for TCP and where user code cuts the messages
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/sendfile.inc.php';

$files = new TestFiles();
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
    $asked = $server->listen('127.0.0.1', 0, Rotor\Server::SOCK_TCP);
    $asked->set(['package_length_func' => fn ($data) => strlen($data), 'open_length_check' => true]);
    file_put_contents(getenv('ROTOR_TMP') . '/port', $asked->port);
    $all = function (string $from) use ($server): void {
        foreach ($server->connections as $fd) {
            $server->send($fd, "$from\n") || note("$from: send to $fd failed");
            foreach (['small', 'large'] as $name) {
                $server->sendfile($fd, getenv('FILES') . "/$name") || note("$from: $name to $fd failed {$server->getLastError()}");
            }
        }
    };
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $data === 'I' ? $server->send($fd, 'I') : $all('worker'));
    $server->addProcess(new Rotor\Process(function () use ($all): void {
        while (!file_exists(getenv('FILES') . '/go')) {
            usleep(1000);
        }
        $all('user process');
        sleep(1000);
    }));
    $server->on('beforeReload', fn () => $all('manager'));
    $server->on('beforeShutdown', fn () => $all('master'));
    $server->start();
    PHP, env: ['FILES' => $files->directory]);
$bytes = $files->make('small', 5000) . $files->make('large', 3 << 20);
$port = (int) file_get_contents("$server->tmp/port");
unlink("$server->tmp/port");
$clients = [$server->connect(), $server->connect(), $server->connect(), new TestClient("tcp://127.0.0.1:$port"), new TestClient("tcp://127.0.0.1:$port")];
foreach ($clients as $client) {
    $client->exchange('I', 1);
}
$told = function () use ($clients, $bytes): void {
    foreach ($clients as $client) {
        echo $client->readLine(), ' ', $client->read(strlen($bytes)) === $bytes ? 'whole' : 'other', $client === end($clients) ? "\n" : ', ';
    }
};
$clients[0]->write('all');
$told();
$clients[1]->write('all');
$told();
touch($files->path('go'));
$told();
$server->signal(SIGUSR1);
$told();
$server->signal(SIGTERM);
$told();
$server->wait();
var_dump($server->notes());
?>
--EXPECT--
worker whole, worker whole, worker whole, worker whole, worker whole
worker whole, worker whole, worker whole, worker whole, worker whole
user process whole, user process whole, user process whole, user process whole, user process whole
manager whole, manager whole, manager whole, manager whole, manager whole
master whole, master whole, master whole, master whole, master whole
array(0) {
}
