--TEST--
A connection whose header is wrong, missing or never comes is none that a callback hears of; who is no trusted proxy is refused at once
--EXTENSIONS--
rotor
posix
pcntl
sockets
--FILE--
<?php
require __DIR__ . '/../inc/proxy.inc.php';

$server = TestServer::start(WHO_SERVER, env: ['ROTOR_TRUSTED' => '127.0.0.2 10.0.0.0/8']);
$server->expectLog('/warning master.*: refused 127.0.0.1 on port 0: it is none of the proxies in proxy_trusted/');
$connect = fn (string $from) => new TestClient("tcp://127.0.0.1:$server->port", from: $from);

// Four that nobody knows of yet: nothing, half a line, half a signature, half of the rest.
$silent = array_map(fn () => $connect('127.0.0.2'), range(1, 4));
foreach (['', 'PROXY TCP4 203.0.11', "\r\n\r\n\0\r\nQ", substr(proxy_header(1, 0x11, proxy_addresses('203.0.113.9', 1)), 0, 20)] as $i => $begin) {
    $silent[$i]->write($begin);
}
foreach ([
    'no header' => "GET / HTTP/1.1\r\n\r\n",
    'one byte that is none' => 'G',
    'text, wrong' => "PROXY TCP4 203.0.113.9 198.51.100.1 70000 80\r\nhello\n",
    'text, too long' => 'PROXY UNKNOWN ' . str_repeat('x', 200),
    'binary, version' => "\r\n\r\n\0\r\nQUIT\n\x11\x11\0\x0c" . proxy_addresses('203.0.113.9', 1),
    'binary, sum' => proxy_header(1, 0x11, proxy_addresses('203.0.113.9', 1) . "\3\0\4\0\0\0\0"),
    'binary, too long' => "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
] as $name => $bytes) {
    $client = $connect('127.0.0.2');
    $client->write($bytes);
    echo "$name: ", json_encode($client->readToEnd()), "\n";
    $client->close();
}
// Ends and resets before the header is there.
$client = $connect('127.0.0.2');
$client->write('PROXY ');
$client->shutdownWrite();
echo 'half a header and the end: ', json_encode($client->readToEnd()), "\n";
$client->close();
$client = $connect('127.0.0.2');
$client->write('PROXY ');
$client->reset();

// Who is not trusted, with a header or without.
foreach (["PROXY TCP4 203.0.113.9 198.51.100.1 1 80\r\nhello\n", "hello\n"] as $bytes) {
    try {
        // The reset may be there before the client knows that it is connected.
        $client = $connect('127.0.0.1');
        $client->write($bytes);
        $client->readToEnd($how);
    } catch (RuntimeException) {
        $how = 'reset';
    }
    echo "not trusted: $how\n";
}

$client = $connect('127.0.0.2');
$client->write("PROXY UNKNOWN\r\nconnections\n");
echo 'of 14 connections known: ', count(json_decode($client->readLine())), "\n";
$client->write("exists\n");
echo 'and of the others: ', json_encode(array_values(array_unique(json_decode($client->readLine()), SORT_REGULAR))), "\n";
$client->write("stats\n");
$stats = json_decode($client->readLine());
echo "errors $stats->protocol_errors, refused $stats->refused_untrusted, accepted $stats->accept_count\n";
// One goes on; the others do not keep the server from stopping.
$silent[1]->write("3.9 198.51.100.1 5 80\r\nhello\n");
echo $silent[1]->readLine(), "\n";
$server->stop();
$notes = preg_replace('/127.0.0.2:\d+/', '127.0.0.2:OWN', $server->notes());
sort($notes);
echo implode("\n", $notes), "\n";

[$exit, $output] = TestServer::run(<<<'PHP'
    function tell(callable $try): void
    {
        try {
            $try();
            echo "taken\n";
        } catch (Rotor\Exception $error) {
            echo get_class($error), ': ', preg_replace('/127.0.0.1:\d+/', 'ADDRESS', $error->getMessage()), "\n";
        }
    }
    $server = new Rotor\Server('127.0.0.1', 0);
    foreach (['10.0.0.0/8', ['10.0.0.1/8'], ['localhost'], [10], ['10.0.0.0/33']] as $trusted) {
        tell(fn () => $server->set(['proxy_trusted' => $trusted]));
    }
    tell(fn () => $server->set(['proxy_trusted' => ['10.0.0.0/8', '2001:db8::/32', '::1']]));
    tell(fn () => $server->set(['proxy_trusted' => null, 'open_proxy_protocol' => true]));
    $server->on('receive', fn () => null);
    tell(fn () => $server->start());
    PHP);
echo $output;
?>
--EXPECT--
no header: ""
one byte that is none: ""
text, wrong: ""
text, too long: ""
binary, version: ""
binary, sum: ""
binary, too long: ""
half a header and the end: ""
not trusted: reset
not trusted: reset
of 14 connections known: 1
and of the others: [[false,false,false,false]]
errors 7, refused 2, accepted 14
203.0.113.9:5 by 127.0.0.2:PORT: hello
close 127.0.0.2:OWN
close 203.0.113.9:5 by 127.0.0.2:PORT
connect 127.0.0.2:OWN
connect 203.0.113.9:5 by 127.0.0.2:PORT
Rotor\SettingException: Rotor\Server::set(): proxy_trusted must be a list of addresses and networks such as "10.0.0.0/8" or "::1", "10.0.0.0/8" given
Rotor\SettingException: Rotor\Server::set(): proxy_trusted must be a list of addresses and networks such as "10.0.0.0/8" or "::1", array given
Rotor\SettingException: Rotor\Server::set(): proxy_trusted must be a list of addresses and networks such as "10.0.0.0/8" or "::1", array given
Rotor\SettingException: Rotor\Server::set(): proxy_trusted must be a list of addresses and networks such as "10.0.0.0/8" or "::1", array given
Rotor\SettingException: Rotor\Server::set(): proxy_trusted must be a list of addresses and networks such as "10.0.0.0/8" or "::1", array given
taken
taken
Rotor\Exception: Rotor\Server::start(): open_proxy_protocol on ADDRESS needs proxy_trusted: the addresses or networks of the proxies, such as ["10.0.0.0/8"]; nobody else may say who a client is
