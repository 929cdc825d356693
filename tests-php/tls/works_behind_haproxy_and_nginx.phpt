--TEST--
HAProxy and nginx's stream module speak TLS with a port, behind a PROXY header, and look at its certificate
--EXTENSIONS--
rotor
posix
pcntl
openssl
--SKIPIF--
<?php
foreach (['openssl', 'haproxy', 'nginx'] as $tool) {
    exec("command -v $tool", $found[$tool]) || print("skip needs $tool (make test-tools)");
}
glob('/usr/lib/nginx/modules/ngx_stream_module.so') || print("skip needs nginx's stream module (make test-tools)");
?>
--FILE--
<?php
require __DIR__ . '/../inc/tls.inc.php';
require __DIR__ . '/../inc/proxy.inc.php';

$certificates = new TestCertificates();
$certificates->authority('ca');
$certificates->issue('server', 'ca');
$script = str_replace(
    ["(int) getenv('ROTOR_PORT'))", "'worker_num' => 1,"],
    [
        "(int) getenv('ROTOR_PORT'), Rotor\\Server::MODE_PROCESS, Rotor\\Server::SOCK_TCP | Rotor\\Server::SSL)",
        "'worker_num' => 1, 'ssl_cert_file' => getenv('CERTS') . '/server.crt', 'ssl_key_file' => getenv('CERTS') . '/server.key',",
    ],
    WHO_SERVER,
);
$server = TestServer::start($script, env: ['CERTS' => $certificates->directory]);
$ca = $certificates->path('ca.crt');
[$one, $two] = [TestServer::freePort(), TestServer::freePort()];
$haproxy = new Proxy(['haproxy', '-db', '-f', 'CONFIG'], <<<CONFIG
    defaults
        mode tcp
        timeout connect 30s
        timeout client 30s
        timeout server 30s
    listen secured
        bind 127.0.0.1:$one
        server rotor 127.0.0.1:$server->port send-proxy-v2 ssl verify required ca-file $ca verifyhost localhost sni str(localhost)

    CONFIG, $one);
$user = posix_getuid() === 0 ? 'user root;' : '';
$nginx = new Proxy(['nginx', '-c', 'CONFIG', '-e', 'stderr'], <<<CONFIG
    load_module /usr/lib/nginx/modules/ngx_stream_module.so;
    daemon off;
    $user
    pid DIR/pid;
    worker_processes 1;
    events {}
    stream {
        proxy_protocol on;
        proxy_ssl on;
        proxy_ssl_verify on;
        proxy_ssl_name localhost;
        proxy_ssl_trusted_certificate $ca;
        server { listen 127.0.0.1:$two; proxy_pass 127.0.0.1:$server->port; }
    }

    CONFIG, $two);
foreach ([$one, $two] as $number) {
    $right = 0;
    foreach (range(2, 11) as $host) {
        $client = new TestClient("tcp://127.0.0.1:$number", from: "127.0.0.$host");
        $client->write("hello\n");
        $own = stream_socket_get_name($client->stream, false);
        $line = $client->readLine();
        $right += $line === "$own by 127.0.0.1:PORT: hello" ? 1 : print("$line instead of $own\n");
        $client->close();
    }
    echo "$right are who they are\n";
}
$haproxy->stop();
$nginx->stop();
$server->stop();
?>
--EXPECT--
10 are who they are
10 are who they are
