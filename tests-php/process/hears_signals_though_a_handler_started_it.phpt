--TEST--
A process that the handler of a signal starts hears signals of its own, and not what its parent had still to do
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
$notes = tempnam(sys_get_temp_dir(), 'rotor');
$say = fn (string $what) => file_put_contents($notes, "$what\n", FILE_APPEND);
$process = new Rotor\Process(function (Rotor\Process $process) use ($say) {
    $heard = false;
    Rotor\Process::signal(SIGUSR1, function () use (&$heard) { $heard = true; });
    $process->write('ready');
    for ($end = microtime(true) + 60; !$heard && microtime(true) < $end;) {
        usleep(1000);
    }
    $say($heard ? 'the child has heard' : 'the child has heard nothing');
});
$parent = getmypid();
Rotor\Process::signal(SIGUSR2, fn () => $say(getmypid() === $parent ? 'the parent' : 'not the parent'));
Rotor\Process::signal(SIGUSR1, function () use ($process) {
    // Comes after this handler, in this process.
    posix_kill(getmypid(), SIGUSR2);
    $process->start();
});
posix_kill($parent, SIGUSR1);
for ($end = microtime(true) + 60; $process->pid === null && microtime(true) < $end;) {
    usleep(1000);
}
echo $process->read(), "\n";
Rotor\Process::kill($process->pid, SIGUSR1);
while (Rotor\Process::wait() === false);
echo file_get_contents($notes);
unlink($notes);
?>
--EXPECT--
ready
the parent
the child has heard
