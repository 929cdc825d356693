--TEST--
max_lifetime and max_memory replace a worker that is too old or too large, idle or not; its connection goes on, and one that is neither stays
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

function run(array $settings, callable $use): void
{
    $server = TestServer::start(sprintf(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(%s + ['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            static $kept = '';
            if ($data === 'grow') {
                $kept .= str_repeat('x', 100 << 20);
            }
            $server->send($fd, getmypid() . "\n");
        });
        $server->start();
        PHP, var_export($settings, true)), ['memory_limit' => '512M']);
    $clients = [$server->connect(), $server->connect()];
    $ask = function (int $i, string $what = '?') use ($clients): string {
        $clients[$i]->write($what);
        return $clients[$i]->readLine();
    };
    $use($server, $ask);
    $server->stop();
}

run(['max_lifetime' => 0.3], function ($server, $ask) {
    $before = [$ask(0), $ask(1)];
    $server->waitFor(fn () => $ask(0) !== $before[0] && $ask(1) !== $before[1], 'both to be replaced');
    echo preg_match('/max_lifetime is over/', $server->log()), " replaced while busy\n";
});
run(['max_lifetime' => 0.1, 'worker_num' => 1], function ($server, $ask) {
    $server->waitForLog('/max_lifetime is over.*max_lifetime is over/s');
    echo "replaced while idle\n";
});
run(['max_memory' => '96M'], function ($server, $ask) {
    $before = [$ask(0), $ask(1)];
    $ask(0, 'grow');
    $server->waitFor(fn () => $ask(0) !== $before[0], 'the large one to be replaced');
    $server->waitForLog('/asks for a successor: max_memory is reached; resident=\d{9}/');
    echo $ask(1) === $before[1] ? "the small one stays\n" : "the small one was replaced\n";
});
?>
--EXPECT--
1 replaced while busy
replaced while idle
the small one stays
