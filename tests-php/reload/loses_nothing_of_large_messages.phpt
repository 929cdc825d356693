--TEST--
P7: reloads lose nothing of messages of 1 MiB, alone or among small ones
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/reloads.inc.php';

echo 'alone: ';
reload_under_load(load: ['--connections', '8', '--in-flight', '2', '--size', '1M']);
echo 'among small ones: ';
reload_under_load(load: ['--connections', '20', '--in-flight', '4', '--size', '1-4K', '--large', '1M/20']);
?>
--EXPECT--
alone: all answered, none closed
among small ones: all answered, none closed
