--TEST--
Under load over TLS, while workers and certificates are replaced and a worker is killed, nothing is lost but what was in its hand
--EXTENSIONS--
rotor
posix
pcntl
openssl
--SKIPIF--
<?php
exec('command -v openssl', $found) || print('skip needs openssl (make test-tools)');
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';
require __DIR__ . '/../inc/ledger.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$settings = ['open_length_check' => true, 'package_max_length' => '4M', 'socket_buffer_size' => '64M', 'log_level' => 3];
$server = TestServer::start(TLS_SERVER, env: ['CERTS' => $certificates->directory, 'SETTINGS' => json_encode($settings)]);
$seconds = Ledger::isStress() ? '60' : '4';
$load = ['--tls', '--connections', '16', '--in-flight', '4', '--framing', 'length', '--size', '20-30K', '--large', '1M/40'];

$ledger = Ledger::start($server, ...$load, ...['--seconds', $seconds]);
for ($i = 0; $i < (int) $seconds; $i++) {
    $count = preg_match_all('/were read again/', $server->log());
    $server->signal(SIGUSR1);
    $server->waitFor(fn () => preg_match_all('/were read again/', $server->log()) > $count);
    usleep(500_000);
}
$report = $ledger->finish();
echo $report['counts']['answered'] > 100 ? "many answers, none of them wrong\n" : "only {$report['counts']['answered']} answers\n";

$begun = fn () => preg_match_all('/manager .*reloading/', $server->log());
$server->waitFor(fn () => preg_match_all('/manager .*reloaded/', $server->log()) === $begun(), 'the end of the last reload');
$server->allowLog('/killed by SIGKILL|respawning worker=|lost/');
$ledger = Ledger::start($server, ...$load, ...['--seconds', '3', '--reconnect', '--allow-resets', '64']);
usleep(500_000);
$workers = preg_grep('/worker/', $server->processes());
posix_kill(array_key_first($workers), SIGKILL);
$report = $ledger->finish();
$counts = $report['counts'];
echo json_encode([$counts['lost'], $counts['doubled'], $counts['reordered'], $counts['corrupt'], $counts['reset']]), "\n";

// Each with a handshake of its own, ended by either side's rules.
foreach (['reset', 'finish'] as $close) {
    $report = Ledger::run($server, '--tls', '--mode', 'churn', '--connections', '8', '--messages', '400', '--close', $close, '--framing', 'length');
    echo $report['counts']['answered'], "\n";
}
$server->stop();
?>
--EXPECT--
many answers, none of them wrong
[0,0,0,0,0]
400
400
