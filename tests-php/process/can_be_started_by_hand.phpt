--TEST--
A process can be started without a server: pipe, standard streams, exit code, wait() and kill(), and again after its end
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
use Rotor\Process;

register_shutdown_function(fn () => print("shutdown function\n"));
ob_start();
echo "printed once\n";
mt_srand(1);
$process = new Process(function (Process $process) {
    $name = $process->read();
    $process->write(json_encode([$name, $process->pid === getmypid(), is_int($process->pipe)]));
    $process->write(mt_rand());
    exit(7);
}, false, 2);
$pid = $process->start();
var_dump($pid === $process->pid, @$process->start());
$process->write('a name');
echo $process->read(), "\n";
mt_srand(1);
var_dump($process->read() === (string) mt_rand());
$end = Process::wait();
var_dump($end['pid'] === $pid, $end['code'], $end['signal']);
var_dump(Process::wait(), Process::wait(false));

echo "-- again, a stream to its end\n";
ob_end_flush();
ini_set('display_errors', '0');
$process = new Process(function (Process $process) {
    $process->write(str_repeat('x', 3_000_000));
    throw new Exception('not caught');
}, false, 1);
foreach ([1, 2] as $time) {
    $process->start();
    for ($length = 0; ($bytes = $process->read()) !== ''; $length += strlen($bytes));
    echo $length, ' ', Process::wait()['code'], "\n";
}

echo "-- standard input and output\n";
$process = new Process(function () {
    echo strtoupper(fgets(STDIN));
    sleep(1000);
}, true);
$pid = $process->start();
$process->write("hello\n");
echo $process->read();
$process->setTimeout(0.05);
var_dump($process->read());
$process->setBlocking(false);
var_dump($process->read(), Process::kill($pid, 0), Process::wait(false), Process::kill($pid, SIGKILL));
$end = Process::wait();
var_dump($end['code'], $end['signal'], Process::kill($pid, 0));

echo "-- the parent's end\n";
$process = new Process(function (Process $process) {
    echo $process->read() === '' ? "seen\n" : "not seen\n";
    $process->exit(258);
}, false, 1);
$process->start();
$process->close();
var_dump($process->pipe, @$process->read(), Process::wait()['code']);
?>
--EXPECT--
printed once
shutdown function
bool(true)
bool(false)
["a name",true,true]
bool(false)
bool(true)
int(7)
int(0)
bool(false)
bool(false)
-- again, a stream to its end
shutdown function
3000000 255
shutdown function
3000000 255
-- standard input and output
HELLO
bool(false)
bool(false)
bool(true)
bool(false)
bool(true)
int(0)
int(9)
bool(false)
-- the parent's end
seen
shutdown function
NULL
bool(false)
int(2)
shutdown function
