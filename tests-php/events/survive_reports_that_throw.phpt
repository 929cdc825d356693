--TEST--
An exception that is thrown while another one is reported costs no later callback
--EXTENSIONS--
rotor
posix
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$server = TestServer::start(<<<'PHP'
    class Unspeakable extends Exception
    {
        public function __toString(): string { throw new LogicException('no words'); }
    }
    class Endless extends Exception
    {
        public function __toString(): string { throw new self; }
    }
    class Late
    {
        public function __destruct() { throw new LogicException('thrown late'); }
    }
    class Keeper extends Exception
    {
        public function __construct(private Late $late) { parent::__construct('kept'); }
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 1, 'log_file' => getenv('ROTOR_LOG'), 'close_on_worker_error' => false]);
    $server->on('receive', function ($server, $fd, $reactor, $data) {
        $server->send($fd, "$data\n");
        match ($data) {
            'unspeakable' => throw new Unspeakable,
            'endless' => throw new Endless,
            'keeper' => throw new Keeper(new Late),
            'exit' => throw new class extends Exception {
                public function __toString(): string { exit(7); }
            },
            default => null,
        };
    });
    $server->start();
    PHP);
$server->allowLog('/Uncaught|no words|thrown late|kept/');
$client = $server->connect();
foreach (['unspeakable', 'plain', 'endless', 'plain', 'keeper', 'plain'] as $data) {
    $client->write($data);
    echo $client->readLine(), "\n";
}
$server->waitForLog('/Uncaught LogicException: thrown late/');
$server->expectLog('/exited code=255.*its message is lost/');
$client->write('exit');
echo $client->readLine(), "\n";
$client->write('plain');
echo $client->readLine(), "\n";
$client->close();
$server->stop();
?>
--EXPECT--
unspeakable
plain
endless
plain
keeper
plain
exit
plain
