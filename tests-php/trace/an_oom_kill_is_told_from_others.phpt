--TEST--
A worker that the kernel kills for want of memory is told from one that somebody kills, by the counter of its cgroup
--EXTENSIONS--
rotor
posix
--SKIPIF--
<?php
require __DIR__ . '/cgroup.inc';
[$group] = limited_group('probe', 64 << 20);
$group === null ? print('skip no memory cgroup can be made here') : rmdir($group);
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/cgroup.inc';

[$group, $enter] = limited_group('test', 160 << 20);
$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'open_eof_split' => true, 'package_eof' => "\n", 'log_file' => getenv('ROTOR_LOG')]);
    $server->on('workerStart', fn () => file_put_contents('/proc/self/oom_score_adj', '1000'));
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        if ($data === "eat\n") {
            $all = [];
            for (;;) {
                $all[] = str_repeat('x', 1 << 20);
            }
        }
        posix_kill(getmypid(), SIGKILL);
    });
    $server->start();
    PHP, ini: ['memory_limit' => '-1'], prefix: ['sh', '-c', "echo \$\$ > '$group/$enter' && exec \"\$0\" \"\$@\""]);
foreach (['kill', 'eat', 'kill'] as $how) {
    $client = $server->connect();
    $client->write("$how\n");
    echo json_encode($client->readToEnd()), "\n";
}
$server->waitFor(fn () => preg_match_all('/killed by SIGKILL/', $server->log()) === 3, 'three kills');
preg_match_all('/ error worker=0 pid=\d+: (killed by .*?);/', $server->log(), $match);
echo implode("\n", $match[1]), "\n";
$server->allowLog('/ error worker=0 pid=\d+: killed by SIGKILL/');
$server->allowLog('/ warning worker=0 .*respawning|: respawning worker=0 in/');
$server->allowLog('/ the server is degraded/');
$server->stop();
rmdir($group);
?>
--EXPECT--
""
""
""
killed by SIGKILL
killed by SIGKILL (out of memory, by the cgroup's counter)
killed by SIGKILL
