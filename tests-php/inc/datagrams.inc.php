<?php

declare(strict_types=1);

require_once __DIR__ . '/server.inc.php';

/** A client that sends and receives datagrams, for a phpt. */
final class DatagramClient
{
    private Socket $socket;

    private string $name;

    /**
     * @param string $to an IP address, or the path of a unix socket
     * @param string $name the client's own path; '' for none
     */
    public function __construct(private string $to, private int $port = 0, string $name = '')
    {
        $family = str_contains($to, '/') ? AF_UNIX : (str_contains($to, ':') ? AF_INET6 : AF_INET);
        $this->socket = socket_create($family, SOCK_DGRAM, 0);
        socket_set_option($this->socket, SOL_SOCKET, SO_RCVTIMEO, ['sec' => (int) TestServer::PATIENCE, 'usec' => 0]);
        if ($name !== '') {
            socket_bind($this->socket, $name);
        }
        $this->name = $name;
    }

    public function __destruct()
    {
        if ($this->name !== '') {
            unlink($this->name);
        }
    }

    public function send(string $bytes): void
    {
        if (socket_sendto($this->socket, $bytes, strlen($bytes), 0, $this->to, $this->port) !== strlen($bytes)) {
            throw new RuntimeException('the datagram was not sent');
        }
    }

    public function receive(): string
    {
        if (socket_recvfrom($this->socket, $bytes, 100_000, 0, $address, $port) === false) {
            throw new RuntimeException('no datagram came: ' . socket_strerror(socket_last_error($this->socket)));
        }
        return (string) $bytes;
    }

    public function exchange(string $bytes): string
    {
        $this->send($bytes);
        return $this->receive();
    }

    /** Its own port, once it has sent; 0 for a unix socket. */
    public function port(): int
    {
        socket_getsockname($this->socket, $address, $port);
        return (int) $port;
    }
}
