--TEST--
P7 in idle dispatch, modes 3 and 7: reloads under load close no connection, and lose and double nothing
--EXTENSIONS--
rotor
posix
pcntl
--FILE--
<?php
require __DIR__ . '/../inc/reloads.inc.php';

foreach ([3, 7] as $mode) {
    echo "mode $mode: ";
    // More clients than workers: most of what they send is held back for a while.
    reload_under_load(
        ['dispatch_mode' => $mode, 'enable_unsafe_event' => true],
        ['--connections', '40', '--in-flight', '1', '--size', '1-40K'],
    );
}
?>
--EXPECT--
mode 3: all answered, none closed
mode 7: all answered, none closed
