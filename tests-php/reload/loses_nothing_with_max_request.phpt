--TEST--
P7: reloads under load lose nothing while max_request replaces workers as well
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/reloads.inc.php';

echo 'side by side: ';
reload_under_load(['max_request' => 50], asked: ['recycle_count']);
echo 'one by one: ';
reload_under_load(['max_request' => 50, 'reload_async' => false], asked: ['recycle_count']);
?>
--EXPECT--
side by side: all answered, none closed, recycle_count
one by one: all answered, none closed, recycle_count
