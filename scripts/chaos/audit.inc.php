<?php

declare(strict_types=1);

/**
 * Compares what the client got with what the server's processes have written down, and says what may not be:
 * a death may cost the message in its callback and what waited behind it on that one connection, which is closed.
 * Nothing else ends a connection, no answer that was sent is lost with one, and no message runs twice.
 *
 * Where the messages of a connection go to several workers, the death of one closes it for the others, too: then an answer
 * of theirs may find it closed, or be on its way.
 */
final class Audit
{
    /** @var array<string, int> sums over all rounds */
    public array $totals = [
        'sent' => 0, 'answered' => 0, 'cut' => 0, 'lost' => 0, 'doubled' => 0, 'reordered' => 0, 'crossed' => 0,
        'corrupt' => 0, 'late' => 0, 'refused' => 0, 'closed' => 0, 'reset' => 0, 'deaths' => 0, 'hands' => 0,
        'starts' => 0, 'failing' => 0,
    ];

    /** Milliseconds from onBeforeReload to onAfterReload. @var list<float> */
    public array $reloads = [];

    public int $failedReloads = 0;

    /** Milliseconds from when a message was due to its answer; where each second start fails, apart. @var array{float, float} */
    public array $worst = [0, 0];

    /** @var array<string, int> how much of each book has been read */
    private array $read = [];

    private int $notesRead = 0;

    private ?int $reloadSince = null;

    /** @param bool $isOrdered whether all messages of a connection go to one worker */
    public function __construct(private readonly TestServer $server, public readonly bool $isOrdered)
    {
    }

    /**
     * Judges a round; the server must be at rest.
     *
     * @param array<string, mixed> $report the ledger's
     * @param bool $isFailing whether each second start was made to fail
     * @param array<string, int> $stats the server's, after it
     * @return list<string> what must not be
     */
    public function round(array $report, bool $isFailing, array $stats): array
    {
        $counts = $report['counts'];
        foreach (array_intersect_key($this->totals, $counts) as $name => $total) {
            $this->totals[$name] = $total + $counts[$name];
        }
        $this->worst[$isFailing] = max($this->worst[$isFailing], $report['latency_us']['max'] / 1000);
        $deaths = $this->readNotes();
        [$unfinished, $sent, $unsent, $connections, $problems] = $this->readBooks();
        if ($counts['sent'] !== $counts['answered'] + $counts['cut']) {
            $problems[] = "$counts[sent] sent, but $counts[answered] answered and $counts[cut] cut";
        }
        // What onWorkerError tells of may also be the close of a connection that another death has ended.
        $this->totals['hands'] = substr_count($this->server->log(), 'its message is lost');
        foreach (['crash_count' => 'deaths', 'lost_messages' => 'hands'] as $counter => $total) {
            if ($stats[$counter] !== $this->totals[$total]) {
                $problems[] = "$counter is $stats[$counter], but {$this->totals[$total]} were told of";
            }
        }
        return [...$problems, ...$this->compare($counts['ends'], $deaths, $unfinished, $sent, $unsent, $connections)];
    }

    /**
     * @param list<array{connection: int, is_reset: bool, first_open: int, cut: int}> $ends
     * @param array<int, int> $deaths pid => session in hand, or 0
     * @param array<int, array{int, int}> $unfinished pid => session and number of what it took and did not finish
     * @param array<int, int> $sent connection => the last number whose answer was sent
     * @param list<array{int, int, int}> $unsent pid, connection and number of what it could not answer
     * @param array<int, int> $connections session => connection
     * @return list<string>
     */
    private function compare(array $ends, array $deaths, array $unfinished, array $sent, array $unsent, array $connections): array
    {
        $problems = [];
        foreach ($unfinished as $pid => [$session, $number]) {
            if (($deaths[$pid] ?? null) !== $session) {
                $how = isset($deaths[$pid]) ? "died with session $deaths[$pid] in hand" : 'has not died';
                $problems[] = "process $pid took message $number of session $session and did not finish it, but $how";
            }
        }
        // A worker can die before its callback could write a line: then the session tells no connection.
        $unknown = 0;
        $mayEnd = [];
        foreach (array_filter($deaths) as $pid => $session) {
            isset($connections[$session]) ? $mayEnd[$connections[$session]] = $pid : $unknown++;
        }
        foreach ($ends as ['connection' => $connection, 'first_open' => $open]) {
            if (isset($mayEnd[$connection])) {
                unset($mayEnd[$connection]);
            } elseif ($unknown-- <= 0) {
                $problems[] = "connection $connection was ended, and nobody has died with it in hand; " . self::where($connections, $connection);
            }
            if ($this->isOrdered && $open <= ($sent[$connection] ?? -1)) {
                $problems[] = "connection $connection ended before answer $open arrived; it was sent, as were those up to $sent[$connection]; "
                    . self::where($connections, $connection);
            }
        }
        $ended = array_column($ends, null, 'connection');
        foreach ($unsent as [$pid, $connection, $number]) {
            if ($this->isOrdered || !isset($ended[$connection])) {
                $problems[] = "process $pid could not send answer $number of connection $connection";
            }
        }
        foreach ($mayEnd as $connection => $pid) {
            $problems[] = "process $pid died with connection $connection in hand, which was not closed; " . self::where($connections, $connection);
        }
        return $problems;
    }

    /** @param array<int, int> $connections session => connection */
    private static function where(array $connections, int $connection): string
    {
        return 'session ' . implode(', ', array_keys($connections, $connection, true) ?: ['unknown']);
    }

    /** @return array<int, int> who has died in this round: pid => session in hand, or 0 */
    private function readNotes(): array
    {
        $deaths = [];
        $notes = $this->server->notes();
        foreach (array_slice($notes, $this->notesRead) as $note) {
            $words = explode(' ', $note);
            switch ($words[0]) {
                case 'error':
                    $deaths[(int) $words[2]] = (int) $words[5];
                    $this->totals['deaths']++;
                    break;
                case 'start':
                    $this->totals['starts']++;
                    break;
                case 'fails':
                    $this->totals['failing']++;
                    break;
                case 'before':
                    $this->reloadSince = (int) $words[1];
                    break;
                case 'after':
                    $this->reloads[] = ((int) $words[1] - $this->reloadSince) / 1e6;
                    $this->failedReloads += (int) ($words[2] === '0');
                    break;
            }
        }
        $this->notesRead = count($notes);
        return $deaths;
    }

    /**
     * @return array{array<int, array{int, int}>, array<int, int>, list<array{int, int, int}>, array<int, int>, list<string>} as
     *   compare() takes them, and problems
     */
    private function readBooks(): array
    {
        $problems = $unfinished = $sent = $unsent = $connections = $takers = [];
        foreach (glob(dirname($this->server->tmp) . '/book.*') ?: [] as $file) {
            $pid = (int) substr(strrchr($file, '.'), 1);
            $from = $this->read[$file] ?? 0;
            $bytes = (string) file_get_contents($file, false, null, $from);
            // A line that its writer was killed in is no line.
            $length = strlen($bytes) - strlen($bytes) % 25;
            $this->read[$file] = $from + $length;
            $open = null;
            for ($at = 0; $at < $length; $at += 25) {
                ['what' => $what, 'session' => $session, 'connection' => $connection, 'number' => $number]
                    = unpack('awhat/Jsession/Jconnection/Jnumber', $bytes, $at);
                $connections[$session] = $connection;
                if ($what === 'T') {
                    if (isset($takers["$session $number"])) {
                        $problems[] = "message $number of session $session ran twice: in processes {$takers["$session $number"]} and $pid";
                    }
                    $takers["$session $number"] = $pid;
                    if ($open !== null) {
                        $problems[] = "process $pid went on from message $open[1] of session $open[0], which it had not finished";
                    }
                    $open = [$session, $number];
                } else {
                    $open = null;
                    if ($what === 'S') {
                        $sent[$connection] = max($number, $sent[$connection] ?? 0);
                    } else {
                        $unsent[] = [$pid, $connection, $number];
                    }
                }
            }
            if ($open !== null) {
                $unfinished[$pid] = $open;
            }
        }
        return [$unfinished, $sent, $unsent, $connections, $problems];
    }
}
