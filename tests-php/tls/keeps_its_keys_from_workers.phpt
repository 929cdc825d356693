--TEST--
A private key is in the master's memory and in no other process's
--EXTENSIONS--
rotor
posix
pcntl
openssl
--SKIPIF--
<?php
exec('command -v openssl', $found) || print('skip needs openssl (make test-tools)');
posix_getuid() === 0 || print('skip needs root, to read the memory of processes');
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$server = TestServer::start(TLS_SERVER, env: ['CERTS' => $certificates->directory]);
$client = new TlsClient($server->port);
$client->exchange('x');

// Of an EC key: the number itself, in either order of its bytes, or a line of the file.
$key = openssl_pkey_get_details(openssl_pkey_get_private(file_get_contents($certificates->path('server.key'))));
$needles = [$key['ec']['d'], strrev($key['ec']['d']), trim(explode("\n", file_get_contents($certificates->path('server.key')))[1])];

/** Whether any of the strings is in a process's memory. */
function has(int $pid, array $needles): bool
{
    $memory = fopen("/proc/$pid/mem", 'r');
    foreach (file("/proc/$pid/maps") as $line) {
        if (!preg_match('/^([0-9a-f]+)-([0-9a-f]+) rw.p/', $line, $match)) {
            continue;
        }
        [$at, $end] = [hexdec($match[1]), hexdec($match[2])];
        $rest = '';
        for (; $at < $end; $at += 1 << 20) {
            fseek($memory, $at);
            $bytes = $rest . (string) @fread($memory, min(1 << 20, $end - $at));
            foreach ($needles as $needle) {
                if (str_contains($bytes, $needle)) {
                    return true;
                }
            }
            $rest = substr($bytes, -100);
        }
    }
    return false;
}

foreach ($server->processes() as $pid => $title) {
    echo $pid === $server->pid ? 'master' : 'another', ': ', json_encode(has($pid, $needles)), "\n";
}
$client->close();
$server->stop();
?>
--EXPECT--
master: true
another: false
another: false
another: false
