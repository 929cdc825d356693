--TEST--
Behind HAProxy, which sends PROXY headers of version 1 or 2 and looks with LOCAL whether the server is well, clients are who they are
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
exec('command -v haproxy', $found) || print('skip needs HAProxy (make test-tools)');
?>
--FILE--
<?php
require __DIR__ . '/../inc/proxy.inc.php';

$server = TestServer::start(WHO_SERVER);
[$one, $two, $unix] = [TestServer::freePort(), TestServer::freePort(), TestServer::freePort()];
$over = TestServer::start(str_replace(
    "(int) getenv('ROTOR_PORT'))",
    "0, Rotor\\Server::MODE_PROCESS, Rotor\\Server::SOCK_UNIX_STREAM)",
    str_replace('$server->start()', '$server->on("start", fn () => ready()); $server->start()', WHO_SERVER),
), env: ['ROTOR_HOST' => $path = sys_get_temp_dir() . '/rotor-haproxy-' . getmypid() . '.sock']);
$haproxy = new Proxy(['haproxy', '-db', '-f', 'CONFIG'], <<<CONFIG
    defaults
        mode tcp
        timeout connect 30s
        timeout client 30s
        timeout server 30s
    listen one
        bind 127.0.0.1:$one
        server rotor 127.0.0.1:$server->port send-proxy
    listen two
        bind 127.0.0.1:$two
        server rotor 127.0.0.1:$server->port send-proxy-v2 proxy-v2-options crc32c,unique-id check inter 50ms
    listen unix
        bind 127.0.0.1:$unix
        server rotor unix@$path send-proxy-v2

    CONFIG, $unix);
foreach ([$one, $two, $unix] as $number) {
    $clients = array_map(fn ($host) => new TestClient("tcp://127.0.0.1:$number", from: "127.0.0.$host"), range(2, 20));
    foreach ($clients as $i => $client) {
        $client->write("hello $i\n");
    }
    $right = 0;
    foreach ($clients as $i => $client) {
        $own = stream_socket_get_name($client->stream, false);
        $line = $client->readLine();
        $expected = $number === $unix ? "$own: hello $i" : "$own by 127.0.0.1:PORT: hello $i";
        $right += $line === $expected ? 1 : print("$line instead of $expected\n");
        $client->close();
    }
    echo "$right are who they are\n";
}
// Its checks come as what they are: from the proxy itself.
$server->waitFor(fn () => preg_grep('/^close 127.0.0.1:\d+$/', $server->notes()) !== []);
$haproxy->stop();
$server->stop();
$over->stop();
?>
--EXPECT--
19 are who they are
19 are who they are
19 are who they are
