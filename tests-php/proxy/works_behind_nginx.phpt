--TEST--
Behind nginx's stream module with proxy_protocol clients are who they are, over IPv4 and IPv6
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
exec('command -v nginx', $found) && glob('/usr/lib/nginx/modules/ngx_stream_module.so')
    || print('skip needs nginx with its stream module (make test-tools)');
?>
--FILE--
<?php
require __DIR__ . '/../inc/proxy.inc.php';

$server = TestServer::start(WHO_SERVER);
[$four, $six] = [TestServer::freePort(), TestServer::freePort()];
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
        server { listen [::1]:$six; proxy_pass 127.0.0.1:$server->port; }
        server { listen 127.0.0.1:$four; proxy_pass 127.0.0.1:$server->port; }
    }

    CONFIG, $four);
foreach (['127.0.0.1' => $four, '[::1]' => $six] as $host => $number) {
    $right = 0;
    for ($i = 0; $i < 10; $i++) {
        $client = new TestClient("tcp://$host:$number");
        $client->write("hello $i\n");
        $own = str_replace(['[', ']'], '', stream_socket_get_name($client->stream, false));
        $line = $client->readLine();
        $right += $line === "$own by 127.0.0.1:PORT: hello $i" ? 1 : print("$line, own $own\n");
        $client->close();
    }
    echo "$right are who they are\n";
}
$nginx->stop();
$server->stop();
?>
--EXPECT--
10 are who they are
10 are who they are
