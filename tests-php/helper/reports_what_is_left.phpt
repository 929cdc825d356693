--TEST--
The helper reports processes and files that a server leaves, a wrong exit code, and log lines that nobody announced
--EXTENSIONS--
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';
require __DIR__ . '/../inc/plain_server.inc.php';

echo "exit code\n";
TestServer::start(plain_server(last: 'exit(3);'), extension: false)->stop();

// The orphan has another title, and so no environment, as all processes of Rotor.
echo "process\n";
$orphan = <<<'PHP'
    if (pcntl_fork() === 0) {
        cli_set_process_title('orphan');
        note('orphan');
        while (true) {
            sleep(60);
        }
    }
    while (file_get_contents(getenv('ROTOR_NOTES')) === '') {
        usleep(1000);
    }
    PHP;
$server = TestServer::start(plain_server("touch(getenv('ROTOR_NOTES'));", $orphan), extension: false);
$server->stop();

echo "file\n";
$server = TestServer::start(plain_server("touch(getenv('ROTOR_TMP') . '/known'); touch(getenv('ROTOR_TMP') . '/left');"), extension: false);
$server->expectFile('known');
$server->stop();

echo "log\n";
$lines = <<<'PHP'
    foreach (['notice master', 'warning worker=3', 'error manager', 'error reactor=1'] as $n => $who) {
        file_put_contents(getenv('ROTOR_LOG'), "2026-01-01T00:00:00.000Z $who pid=5: event $n; key=value\n", FILE_APPEND);
    }
    echo $undefined;
    PHP;
$server = TestServer::start(plain_server($lines), extension: false);
$server->waitForLog('/event 3/');
$server->expectLog('/event 2/');
$server->expectLog('/event 9/');
$server->allowLog('/event 3/');
$server->allowLog('/event 8/');
$server->stop();
?>
--EXPECTF--
exit code
FAIL server: exit code 3, expected 0
--- the server's output and log
---
process
FAIL server: process left: %d orphan
--- the server's output and log
---
file
FAIL server: file left: left
--- the server's output and log
---
log
FAIL server: unannounced: Warning: Undefined variable $undefined in %s on line %d
FAIL server: unannounced: 2026-01-01T00:00:00.000Z warning worker=3 pid=5: event 1; key=value
FAIL server: announced, but not in the log: /event 9/
--- the server's output and log

Warning: Undefined variable $undefined in %s on line %d
2026-01-01T00:00:00.000Z notice master pid=5: event 0; key=value
2026-01-01T00:00:00.000Z warning worker=3 pid=5: event 1; key=value
2026-01-01T00:00:00.000Z error manager pid=5: event 2; key=value
2026-01-01T00:00:00.000Z error reactor=1 pid=5: event 3; key=value
---
