--TEST--
P7: reloads under load close no connection, and lose, double and reorder nothing
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/reloads.inc.php';

echo 'side by side: ';
reload_under_load();
echo 'one by one: ';
reload_under_load(['reload_async' => false]);
?>
--EXPECT--
side by side: all answered, none closed
one by one: all answered, none closed
