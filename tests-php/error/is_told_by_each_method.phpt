--TEST--
Each method that fails in a running server says why in getLastError(), and those that succeed leave that alone
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    use Rotor\Error;

    $names = array_flip((new ReflectionClass(Error::class))->getConstants());
    $name = fn (int $code): string => $names[$code] ?? "errno $code";
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'output_buffer_size' => 1000, 'log_file' => getenv('ROTOR_LOG')]);
    // Before each another code, to see that the next one is its own.
    $tell = function (Rotor\Server $server, string $who, array $calls) use ($name): void {
        foreach ($calls as $what => $call) {
            $what === 'send too much' ? @$server->send(-1, 'x') : @$server->send(1, str_repeat('x', 1001));
            $before = $server->getLastError();
            $result = @$call();
            $after = $server->getLastError();
            note("$who $what " . (is_array($result) ? 'array' : json_encode($result)) . ' ' . ($after === $before ? 'untouched' : $name($after)));
        }
    };
    $server->on('managerStart', fn ($server) => $tell($server, 'manager', [
        'getWorkerId' => fn () => $server->getWorkerId(),
        'getWorkerPid' => fn () => $server->getWorkerPid(),
        'getWorkerStatus' => fn () => $server->getWorkerStatus(),
        'stop' => fn () => $server->stop(),
    ]));
    $server->on('receive', function ($server, $fd, $reactor, $data) use ($tell) {
        if ($data === 'gone') {
            $server->close($fd);
            return;
        }
        $gone = 1;
        while ($server->getClientInfo($gone) !== false) {
            usleep(1000);
        }
        $tell($server, 'worker', [
            'send no data' => fn () => $server->send($fd, ''),
            'send too much' => fn () => $server->send($fd, str_repeat('x', 1001)),
            'send to nobody' => fn () => $server->send(99, 'x'),
            'send to who has gone' => fn () => $server->send($gone, 'x'),
            'send to no number' => fn () => $server->send('x', 'x'),
            'sendto nowhere' => fn () => $server->sendto('nowhere', 1, 'x'),
            'close who has gone' => fn () => $server->close($gone),
            'close id 0' => fn () => $server->close(0),
            'exists who has gone' => fn () => $server->exists($gone),
            'isset who has gone' => fn () => isset($server->connections[$gone]),
            'pause nobody' => fn () => $server->pause(99),
            'resume who has gone' => fn () => $server->resume($gone),
            'protect nobody' => fn () => $server->protect(99),
            'bind no uid' => fn () => $server->bind($fd, 0),
            'bind' => fn () => $server->bind($fd, 7),
            'bind again' => fn () => $server->bind($fd, 7),
            'bind nobody' => fn () => $server->bind(99, 7),
            'heartbeat that is off' => fn () => $server->heartbeat(),
            'info of who has gone' => fn () => $server->getClientInfo($gone),
            'info of nobody' => fn () => $server->connection_info(99),
            'info of id 0' => fn () => $server->getClientInfo(0),
            'info' => fn () => $server->getClientInfo($fd),
            'connections of who has gone' => fn () => $server->connections[$gone],
            'connections of nobody' => fn () => $server->connections[99],
            'connections of no number' => fn () => $server->connections['x'],
            'port of nobody' => fn () => $server->ports[0]->connections[99],
            'pid of no worker' => fn () => $server->getWorkerPid(9),
            'status of no worker' => fn () => $server->getWorkerStatus(9),
            'stop of no worker' => fn () => $server->stop(9),
            'trace in a worker' => fn () => $server->trace(0),
            'extendTimeout' => fn () => $server->extendTimeout(-1.0),
            'getSocket' => fn () => $server->getSocket(),
            'set' => fn () => $server->set([]),
            'on' => fn () => $server->on('close', 'strlen'),
            'start' => fn () => $server->start(),
            'stats' => fn () => $server->stats(),
        ]);
        note('done');
        $server->send($fd, 'done');
    });
    $server->on('close', fn () => note('closed'));
    $server->on('start', fn ($server) => $tell($server, 'master', ['getWorkerPid' => fn () => $server->getWorkerPid()]));
    $server->start();
    PHP);
$server->connect()->write('gone');
$server->waitForNote('closed');
$server->connect()->exchange('x', 4);
$server->waitForNote('done');
$server->stop();
$notes = preg_grep('/^(worker|manager|master) /', $server->notes());
sort($notes);
echo implode("\n", $notes), "\n";
?>
--EXPECT--
manager getWorkerId false WRONG_OPERATION
manager getWorkerPid false WRONG_OPERATION
manager getWorkerStatus false WRONG_OPERATION
manager stop false WRONG_OPERATION
master getWorkerPid false WRONG_OPERATION
worker bind again false WRONG_OPERATION
worker bind no uid false INVALID_PARAMS
worker bind nobody false SESSION_NOT_EXIST
worker bind true untouched
worker close id 0 false SESSION_INVALID_ID
worker close who has gone false SESSION_CLOSED
worker connections of no number false SESSION_INVALID_ID
worker connections of nobody false SESSION_NOT_EXIST
worker connections of who has gone false SESSION_CLOSED
worker exists who has gone false untouched
worker extendTimeout false INVALID_PARAMS
worker getSocket false WRONG_OPERATION
worker heartbeat that is off false WRONG_OPERATION
worker info array untouched
worker info of id 0 false SESSION_INVALID_ID
worker info of nobody false SESSION_NOT_EXIST
worker info of who has gone false SESSION_CLOSED
worker isset who has gone false untouched
worker on false WRONG_OPERATION
worker pause nobody false SESSION_NOT_EXIST
worker pid of no worker false INVALID_PARAMS
worker port of nobody false SESSION_NOT_EXIST
worker protect nobody false SESSION_NOT_EXIST
worker resume who has gone false SESSION_CLOSED
worker send no data false INVALID_PARAMS
worker send to no number false SESSION_INVALID_ID
worker send to nobody false SESSION_NOT_EXIST
worker send to who has gone false SESSION_CLOSED
worker send too much false DATA_LENGTH_TOO_LARGE
worker sendto nowhere false INVALID_PARAMS
worker set false WRONG_OPERATION
worker start false WRONG_OPERATION
worker stats array untouched
worker status of no worker false INVALID_PARAMS
worker stop of no worker false INVALID_PARAMS
worker trace in a worker false WRONG_OPERATION
