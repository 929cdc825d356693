--TEST--
log_date_format and log_date_with_microseconds date the lines; a format that strftime() does not know is refused
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = new Rotor\Server('127.0.0.1');
foreach (['%F %Q', '', "%F\n%T", '%F%n%T', str_repeat('%c', 30), "\xff", 5] as $format) {
    try {
        $server->set(['log_date_format' => $format]);
        echo "taken\n";
    } catch (Rotor\SettingException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
foreach ([['log_format' => 'xml'], ['log_rotation' => 5]] as $settings) {
    try {
        $server->set($settings);
        echo "taken\n";
    } catch (Rotor\SettingException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
unset($server);

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_date_format' => '[%d/%b/%Y:%H:%M:%S', 'log_date_with_microseconds' => true]);
    $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, $data));
    $server->start();
    PHP);
echo $server->request('hello'), "\n";
$server->stop();
$lines = explode("\n", trim($server->log()));
$dated = preg_grep('#^\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{6} notice (master|manager|worker=0) pid=\d+: \S#', $lines);
var_dump(count($lines) > 5, count($dated) === count($lines));
?>
--EXPECT--
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, "%F %Q" given
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, "" given
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, "%F\n%T" given
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, "%F%n%T" given
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, "%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c" given
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, "�" given
Rotor\Server::set(): log_date_format must be a format of strftime() such as "%F %T", on one line, 5 given
Rotor\Server::set(): log_format must be "text" or "json", "xml" given
Rotor\Server::set(): log_rotation must be 0 (never) to 4 (every minute), 5 given
hello
bool(true)
bool(true)
