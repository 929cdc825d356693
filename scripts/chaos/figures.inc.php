<?php

declare(strict_types=1);

/**
 * How long what is promised with a time takes, each on a server of its own: in the chaos itself a paused manager would
 * be measured. A figure is a list of milliseconds; none of them fails, but a client or process that waits in vain does.
 */
final class Figures
{
    /** A process that is in no hurry: answers, and holds on to what begins with `hold`. */
    private const SERVER = <<<'PHP'
        $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
        $server->set(json_decode($argv[1], true) + ['worker_num' => 4, 'reactor_num' => 2, 'log_file' => getenv('ROTOR_LOG')]);
        $server->on('workerStart', fn ($server, $id) => note("start $id $server->manager_pid"));
        $server->on('receive', function ($server, $fd, $reactor, $data) {
            for (str_starts_with($data, 'hold') && note("holds $fd"); str_starts_with($data, 'hold');) {
                usleep(1_000_000);
            }
            $server->send($fd, sprintf("%08d %08d", getmypid(), $fd));
        });
        $server->start();
        PHP;

    /** SIGKILL of a worker with a message in hand, until its client sees the end. @return list<float> */
    public static function killInHand(int $times): array
    {
        $server = self::start();
        $server->allowLog('/killed by SIGKILL|respawning worker=/');
        $took = [];
        for ($i = 0; $i < $times; $i++) {
            [$client, $pid] = self::holding($server);
            $since = hrtime(true);
            $server->signal(SIGKILL, $pid);
            $client->readToEnd();
            $took[] = (hrtime(true) - $since) / 1e6;
            // A slot that dies twice in a row without finishing a message would have to wait for its respawn.
            $server->waitFor(fn (): bool => self::starts($server) === 5 + $i, 'the respawn');
        }
        $server->stop();
        return $took;
    }

    /** A callback that never ends, from when its message was sent, until its client sees the end. @return list<float> */
    public static function timeout(int $times): array
    {
        $server = self::start(['request_timeout' => 1]);
        $server->allowLog('/killed by SIGKILL|killed: request_timeout is over|pid=\d+: #\d+ |respawning worker=/');
        $took = [];
        for ($i = 0; $i < $times; $i++) {
            [$client, , $since] = self::holding($server);
            $client->readToEnd();
            $took[] = (hrtime(true) - $since) / 1e6;
            $server->request('who?', 17);
        }
        $server->stop();
        return $took;
    }

    /** SIGKILL of the master or the manager, until no process of the server is left. @return list<float> */
    public static function killFirst(string $who, int $times): array
    {
        $took = [];
        for ($i = 0; $i < $times; $i++) {
            $server = self::start();
            $server->allowLog('/./');
            [$client] = self::holding($server);
            [, , $manager] = explode(' ', $server->notes()[0]);
            $others = array_diff(array_keys($server->processes()), [$server->pid]);
            $since = hrtime(true);
            $server->signal(SIGKILL, $who === 'manager' ? (int) $manager : $server->pid);
            $server->waitFor(function () use ($server, $others): bool {
                return !$server->isRunning() && array_filter($others, self::lives(...)) === [];
            }, "the end of all after SIGKILL of the $who");
            $took[] = (hrtime(true) - $since) / 1e6;
            $client->readToEnd();
            $server->wait($who === 'manager' ? 1 : -SIGKILL);
        }
        return $took;
    }

    /** Whether a process has not ended; when PID 1 takes note of an orphan's end is not the server's doing. */
    private static function lives(int $pid): bool
    {
        $stat = (string) @file_get_contents("/proc/$pid/stat");
        return $stat !== '' && !in_array($stat[strrpos($stat, ')') + 2], ['Z', 'X'], true);
    }

    /** @param array<string, mixed> $settings */
    private static function start(array $settings = []): TestServer
    {
        $server = TestServer::start(self::SERVER, args: [json_encode($settings, JSON_FORCE_OBJECT)]);
        $server->waitFor(fn (): bool => self::starts($server) === 4, 'four workers');
        return $server;
    }

    private static function starts(TestServer $server): int
    {
        return count(preg_grep('/^start/', $server->notes()));
    }

    /**
     * A connection with a message in hand that no worker finishes.
     *
     * @return array{TestClient, int, int} and that worker's pid, and when the message was sent
     */
    private static function holding(TestServer $server): array
    {
        $client = $server->connect();
        [$pid, $fd] = sscanf($client->exchange('who?', 17), '%d %d');
        $since = hrtime(true);
        $client->write('hold');
        $server->waitForNote("holds $fd");
        return [$client, $pid, $since];
    }
}
