--TEST--
What a callback puts into its object is released with the callback: what its destructor throws or ends belongs to that
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    class Late
    {
        public function __construct(private string $what) {}
        public function __destruct()
        {
            note("late $this->what");
            match ($this->what) {
                'throw' => throw new LogicException('thrown late'),
                'exit' => exit(6),
                'fatal' => trigger_error('fatal late', E_USER_ERROR),
            };
        }
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set([
        'worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'event_object' => true, 'close_on_worker_error' => false,
    ]);
    $server->on('workerStop', fn () => note('stop'));
    $server->on('receive', fn ($server, $event) => $server->send($event->fd, "$event->data\n"));
    $server->on('connect', function ($server, $event) {
        if (($what = @file_get_contents(getenv('ROTOR_NOTES') . '-what')) !== false) {
            $event->data = new Late($what);
        }
    });
    register_shutdown_function(fn () => note('shutdown function'));
    note(getenv('ROTOR_NOTES') . '-what');
    $server->start();
    PHP);
$server->allowLog('/thrown late|fatal late|exited code=(6|255)|its callback threw|message is lost/');
$file = $server->notes()[0];
foreach (['throw' => 'thrown late', 'exit' => 'exited code=6', 'fatal' => 'exited code=255'] as $what => $log) {
    file_put_contents($file, $what);
    $client = $server->connect();
    $server->waitForLog("/$log/");
    unlink($file);
    // The connection is the next process's.
    $client->write($what);
    echo $client->readLine(), "\n";
    $client->close();
}
$server->stop();
echo implode("\n", array_filter($server->notes(), fn ($note) => !str_ends_with($note, '-what'))), "\n";
?>
--EXPECT--
throw
exit
fatal
late throw
late exit
shutdown function
late fatal
shutdown function
stop
shutdown function
shutdown function
shutdown function
