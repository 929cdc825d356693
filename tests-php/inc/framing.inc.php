<?php

declare(strict_types=1);

/**
 * A server for the tests of framing: answers each message with itself, its length in front, so that the client sees
 * what was one message.
 *
 * @param array<string, mixed> $settings what is sent is bytes, so texts may have any
 */
function framing_server(array $settings): TestServer
{
    return TestServer::start(<<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(unserialize(base64_decode(getenv('ROTOR_SETTINGS'))) + ['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
        $server->on('receive', fn ($server, $fd, $reactor, $data) => $server->send($fd, pack('N', strlen($data)) . $data));
        $server->on('close', fn ($server, $fd, $reactor) => note("$fd closed $reactor"));
        $server->on('shutdown', fn ($server) => note(json_encode($server->stats())));
        $server->start();
        PHP, env: ['ROTOR_SETTINGS' => base64_encode(serialize($settings))]);
}

/** Reads so many answers. @return list<string> the messages */
function read_messages(TestClient $client, int $count): array
{
    $messages = [];
    while (count($messages) < $count) {
        $messages[] = $client->read(unpack('N', $client->read(4))[1]);
    }
    return $messages;
}

/** Reads answers until the server ends the connection. @return list<string> the messages */
function read_messages_to_end(TestClient $client): array
{
    $messages = [];
    $bytes = $client->readToEnd();
    for ($at = 0; $at < strlen($bytes); $at += 4 + $length) {
        $length = unpack('N', $bytes, $at)[1];
        $messages[] = substr($bytes, $at + 4, $length);
    }
    return $messages;
}

/**
 * Stops the server and gives its last counters.
 *
 * @return array<string, int>
 */
function stop_and_count(TestServer $server): array
{
    $server->stop();
    $notes = $server->notes();
    return json_decode(end($notes), true);
}
