--TEST--
In callbacks $setting has also what holds of worker_num, task_worker_num, output_buffer_size and max_connection, where they were not set
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

// As applications tell event workers from task workers, and choose one of them.
$script = <<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    foreach ([['reactor_num' => 1], ...json_decode($argv[1], true)] as $settings) {
        $server->set($settings);
    }
    $note = function (Rotor\Server $server, string $where): void {
        $shown = $server->setting;
        $shown['max_connection'] = $shown['max_connection'] > 1000 ? 'many' : $shown['max_connection'];
        note("$where " . json_encode($shown));
    };
    $server->on('start', fn ($server) => $note($server, 'master'));
    $server->on('managerStart', fn ($server) => $note($server, 'manager'));
    $server->on('workerStart', fn ($server, $id) => $id === 0 && $note($server, 'worker'));
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $server->worker_id . ' ' . $data));
    $server->start();
    PHP;
foreach (['[]', '[{"worker_num":"2","max_conn":100}]', '[{"worker_num":2,"output_buffer_size":"1K"},{"worker_num":null}]'] as $settings) {
    $server = TestServer::start($script, args: [$settings]);
    $server->waitFor(fn () => count($server->notes()) === 3, 'the notes');
    $server->stop();
    $notes = $server->notes();
    sort($notes);
    // What was not set is the machine's business.
    $cpus = '"worker_num":' . (int) shell_exec('nproc') . ',"task_worker_num"';
    echo str_replace($cpus, '"worker_num":"cpus","task_worker_num"', implode("\n", $notes)), "\n";
}
?>
--EXPECT--
manager {"reactor_num":1,"worker_num":"cpus","task_worker_num":0,"output_buffer_size":4294967295,"max_connection":"many"}
master {"reactor_num":1,"worker_num":"cpus","task_worker_num":0,"output_buffer_size":4294967295,"max_connection":"many"}
worker {"reactor_num":1,"worker_num":"cpus","task_worker_num":0,"output_buffer_size":4294967295,"max_connection":"many"}
manager {"reactor_num":1,"worker_num":2,"max_connection":100,"task_worker_num":0,"output_buffer_size":4294967295}
master {"reactor_num":1,"worker_num":2,"max_connection":100,"task_worker_num":0,"output_buffer_size":4294967295}
worker {"reactor_num":1,"worker_num":2,"max_connection":100,"task_worker_num":0,"output_buffer_size":4294967295}
manager {"reactor_num":1,"output_buffer_size":1024,"worker_num":"cpus","task_worker_num":0,"max_connection":"many"}
master {"reactor_num":1,"output_buffer_size":1024,"worker_num":"cpus","task_worker_num":0,"max_connection":"many"}
worker {"reactor_num":1,"output_buffer_size":1024,"worker_num":"cpus","task_worker_num":0,"max_connection":"many"}
