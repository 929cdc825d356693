--TEST--
With open_proxy_protocol getClientInfo and onConnect show the client that a trusted proxy speaks for, whatever version, and however the header comes
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/proxy.inc.php';

$server = TestServer::start(WHO_SERVER);
$client = "PROXY TCP4 203.0.113.9 198.51.100.1 35646 80\r\n";
foreach ([
    'text' => $client,
    'text, IPv6' => "PROXY TCP6 2001:db8::9 ::1 1 80\r\n",
    'text, mapped' => "PROXY TCP6 ::ffff:203.0.113.9 ::1 1 80\r\n",
    'text, unknown' => "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    'binary' => proxy_header(1, 0x11, proxy_addresses('203.0.113.9', 65535)),
    'binary, IPv6' => proxy_header(1, 0x21, proxy_addresses('2001:db8::9', 1)),
    'binary, with fields' => proxy_header(1, 0x11, proxy_addresses('203.0.113.9', 1) . "\2\0\3a.b\4\x10\0" . str_repeat("\0", 4096)),
    'binary, unix' => proxy_header(1, 0x31, str_pad('/run/client', 108, "\0") . str_pad('/run/server', 108, "\0")),
    'binary, local' => proxy_header(0, 0, ''),
    'binary, unspecified' => proxy_header(1, 0, ''),
] as $name => $header) {
    // With the message, then byte by byte.
    foreach ([[$header . "hello\n"], [...str_split($header, strlen($header) > 500 ? 500 : 1), "hel", "lo\n"]] as $parts) {
        $connection = $server->connect();
        foreach ($parts as $part) {
            $connection->write($part);
            if (count($parts) > 1) {
                usleep(200);
            }
        }
        $own = ltrim(strrchr(stream_socket_get_name($connection->stream, false), ':'), ':');
        echo str_replace($own, 'OWN', $connection->readLine()), count($parts) > 1 ? "\n" : " ($name) ";
        $connection->close();
    }
}
// A header is a header once: what comes behind it is the client's, also if it looks like one.
$connection = $server->connect();
$connection->write("{$client}{$client}hello\n");
echo json_encode([$connection->readLine(), $connection->readLine()]), "\n";
$connection->close();
$server->waitFor(fn () => count($server->notes()) === 42);
$server->stop();
echo implode("\n", array_unique(preg_replace('/127.0.0.1:\d+/', '127.0.0.1:OWN', $server->notes()))), "\n";
?>
--EXPECT--
203.0.113.9:35646 by 127.0.0.1:PORT: hello (text) 203.0.113.9:35646 by 127.0.0.1:PORT: hello
2001:db8::9:1 by 127.0.0.1:PORT: hello (text, IPv6) 2001:db8::9:1 by 127.0.0.1:PORT: hello
203.0.113.9:1 by 127.0.0.1:PORT: hello (text, mapped) 203.0.113.9:1 by 127.0.0.1:PORT: hello
127.0.0.1:OWN: hello (text, unknown) 127.0.0.1:OWN: hello
203.0.113.9:65535 by 127.0.0.1:PORT: hello (binary) 203.0.113.9:65535 by 127.0.0.1:PORT: hello
2001:db8::9:1 by 127.0.0.1:PORT: hello (binary, IPv6) 2001:db8::9:1 by 127.0.0.1:PORT: hello
203.0.113.9:1 by 127.0.0.1:PORT: hello (binary, with fields) 203.0.113.9:1 by 127.0.0.1:PORT: hello
:0 by 127.0.0.1:PORT: hello (binary, unix) :0 by 127.0.0.1:PORT: hello
127.0.0.1:OWN: hello (binary, local) 127.0.0.1:OWN: hello
127.0.0.1:OWN: hello (binary, unspecified) 127.0.0.1:OWN: hello
["203.0.113.9:35646 by 127.0.0.1:PORT: PROXY TCP4 203.0.113.9 198.51.100.1 35646 80\r","203.0.113.9:35646 by 127.0.0.1:PORT: hello"]
connect 203.0.113.9:35646 by 127.0.0.1:PORT
close 203.0.113.9:35646 by 127.0.0.1:PORT
connect 2001:db8::9:1 by 127.0.0.1:PORT
close 2001:db8::9:1 by 127.0.0.1:PORT
connect 203.0.113.9:1 by 127.0.0.1:PORT
close 203.0.113.9:1 by 127.0.0.1:PORT
connect 127.0.0.1:OWN
close 127.0.0.1:OWN
connect 203.0.113.9:65535 by 127.0.0.1:PORT
close 203.0.113.9:65535 by 127.0.0.1:PORT
connect :0 by 127.0.0.1:PORT
close :0 by 127.0.0.1:PORT
