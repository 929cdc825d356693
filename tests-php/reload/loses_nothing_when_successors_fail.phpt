--TEST--
P7: reloads under load lose nothing when each second successor fails in onWorkerStart
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/reloads.inc.php';

reload_under_load(failing: true);
?>
--EXPECT--
all answered, none closed, some reloads failed
