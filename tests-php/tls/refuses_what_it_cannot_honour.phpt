--TEST--
What TLS cannot be had from is refused with the name of the setting: at set() by its words, at start() by its files
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

$certificates = new TestCertificates();
$certificates->selfSigned('server');
$certificates->selfSigned('other');
file_put_contents($certificates->path('text'), 'no certificate');
exec('openssl pkey -aes128 -passout pass:x -in ' . $certificates->path('server.key') . ' -out ' . $certificates->path('locked.key'));

$script = <<<'PHP'
    $certs = getenv('CERTS');
    foreach (json_decode(str_replace('CERTS', $certs, getenv('CASES')), true) as $settings) {
        // A start happens once: each case has a process of its own.
        if (($pid = pcntl_fork()) === 0) {
            $said = 'served';
            try {
                $server = new Rotor\Server('127.0.0.1', 0, Rotor\Server::MODE_PROCESS, Rotor\Server::SOCK_TCP | Rotor\Server::SSL);
                $server->on('start', fn ($server) => $server->shutdown());
                $server->on('receive', fn () => null);
                $server->set($settings + ['worker_num' => 1, 'log_level' => 5, 'ssl_cert_file' => "$certs/server.crt", 'ssl_key_file' => "$certs/server.key"]);
                $server->start();
            } catch (Rotor\Exception $exception) {
                $said = $exception->getMessage();
            }
            if (getmypid() === $server->master_pid || $said !== 'served') {
                echo str_replace($certs, 'CERTS', $said), "\n";
            }
            exit;
        }
        pcntl_waitpid($pid, $status);
    }
    PHP;
[, $said] = TestServer::run($script, env: ['CERTS' => $certificates->directory, 'CASES' => json_encode([
    [],
    ['ssl_cert_file' => null],
    ['ssl_key_file' => ''],
    ['ssl_cert_file' => 'CERTS/nowhere'],
    ['ssl_cert_file' => 'CERTS/text'],
    ['ssl_key_file' => 'CERTS/text'],
    ['ssl_key_file' => 'CERTS/locked.key'],
    ['ssl_key_file' => 'CERTS/other.key'],
    ['ssl_sni_certs' => ['a.example' => ['ssl_cert_file' => 'CERTS/server.crt', 'ssl_key_file' => 'CERTS/other.key']]],
    ['ssl_verify_peer' => true],
    ['ssl_verify_peer' => true, 'ssl_cafile' => 'CERTS/text'],
    ['ssl_protocols' => 16],
    ['ssl_ciphers' => 'AES128-SHA'],
    ['ssl_ciphers' => 'NONSENSE'],
    ['ssl_ecdh_curve' => 'sect571r1'],
    ['ssl_sni_certs' => ['a.example' => ['ssl_cert_file' => 'x']]],
    ['ssl_sni_certs' => ['*' => ['ssl_cert_file' => 'x', 'ssl_key_file' => 'y']]],
    ['ssl_sni_certs' => ['a.example', 'b.example']],
    ['ssl_dhparam' => 'CERTS/dh.pem'],
    ['ssl_compress' => true],
    ['ssl_alpn_protocols' => ['']],
])]);
echo $said;

echo TestServer::run(<<<'PHP'
    foreach ([2, 4, 6] as $type) {
        try {
            new Rotor\Server('127.0.0.1', 0, Rotor\Server::MODE_PROCESS, $type | Rotor\Server::SSL);
        } catch (Rotor\Exception $exception) {
            echo $exception->getMessage(), "\n";
        }
    }
    PHP)[1];

$server = TestServer::start(<<<'PHP'
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'ssl_cert_file' => '/nowhere']);
    $server->on('receive', fn () => null);
    $server->start();
    PHP);
$server->expectLog('/warning .*ssl_cert_file has no effect: no port has SSL in its \$sock_type/');
$server->stop();
?>
--EXPECTF--
served
Rotor\Server::start(): ssl_cert_file is not set, and the port 127.0.0.1:%d has TLS (SSL in its $sock_type): set ssl_cert_file and ssl_key_file
Rotor\Server::start(): ssl_key_file is not set, and the port 127.0.0.1:%d has TLS (SSL in its $sock_type): set ssl_cert_file and ssl_key_file
Rotor\Server::start(): cannot read ssl_cert_file CERTS/nowhere: no such file or directory
Rotor\Server::start(): ssl_cert_file CERTS/text has no certificate in PEM form (-----BEGIN CERTIFICATE-----)
Rotor\Server::start(): ssl_key_file CERTS/text has no private key in PEM form (-----BEGIN PRIVATE KEY-----)
Rotor\Server::start(): ssl_key_file CERTS/locked.key is encrypted with a passphrase; give a key without (openssl pkey)
Rotor\Server::start(): ssl_key_file CERTS/other.key is not the key of the first certificate in ssl_cert_file CERTS/server.crt
Rotor\Server::start(): ssl_key_file of ssl_sni_certs["a.example"] CERTS/other.key is not the key of the first certificate in ssl_cert_file of ssl_sni_certs["a.example"] CERTS/server.crt
Rotor\Server::start(): ssl_verify_peer needs ssl_client_cert_file, ssl_cafile or ssl_capath: the certificates that clients' lead to
Rotor\Server::start(): ssl_cafile CERTS/text has no certificate in PEM form (-----BEGIN CERTIFICATE-----)
Rotor\Server::set(): ssl_protocols must be 0, 32, 64 or 96, 16 given; 32 is TLS 1.2 and 64 is TLS 1.3, 0 is both; older versions have known holes, and there are none here
Rotor\Server::set(): ssl_ciphers must be a cipher string of OpenSSL such as "EECDH+AESGCM", "AES128-SHA" given; it leaves none of the suites of TLS 1.2 that there are: %s
Rotor\Server::set(): ssl_ciphers must be a cipher string of OpenSSL such as "EECDH+AESGCM", "NONSENSE" given; "NONSENSE" is no word of a cipher string
Rotor\Server::set(): ssl_ecdh_curve must be "auto" or a list of groups such as "X25519:prime256v1", "sect571r1" given; there is no group "sect571r1" here; there are X25519, prime256v1, secp384r1
Rotor\Server::set(): ssl_sni_certs must be an array of host names (one left-most * allowed), each with ssl_cert_file and ssl_key_file, array given
Rotor\Server::set(): ssl_sni_certs must be an array of host names (one left-most * allowed), each with ssl_cert_file and ssl_key_file, array given
Rotor\Server::set(): ssl_sni_certs must be an array of host names (one left-most * allowed), each with ssl_cert_file and ssl_key_file, array given
Rotor\Server::set(): ssl_dhparam must be empty or left out, "CERTS/dh%S" given; keys are exchanged over elliptic curves alone; see ssl_ecdh_curve
Rotor\Server::set(): ssl_compress must be false, true given; compression tells what was encrypted, and TLS 1.3 has none
Rotor\Server::set(): ssl_alpn_protocols must be a list of strings of 1 to 255 bytes, array given
Rotor\Server::__construct(): datagrams with TLS (DTLS) do not exist here; leave SSL out
Rotor\Server::__construct(): datagrams with TLS (DTLS) do not exist here; leave SSL out
Rotor\Server::__construct(): datagrams with TLS (DTLS) do not exist here; leave SSL out
