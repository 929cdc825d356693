--TEST--
Under php -S the constructor throws, naming the SAPI
--EXTENSIONS--
rotor
--FILE--
<?php
$extension = getenv('ROTOR_EXTENSION') ?: 'rotor';
$script = tempnam(sys_get_temp_dir(), 'rotor');
file_put_contents($script, '<?php try { new Rotor\Server("127.0.0.1"); } catch (Rotor\Exception $e) { echo $e->getMessage(); }');
// The number of a port that was free a moment ago.
$socket = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($socket, false);
fclose($socket);
$command = [PHP_BINARY, '-n', '-d', "extension=$extension", '-S', $address, $script];
$server = proc_open($command, [1 => ['file', '/dev/null', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes);
for ($answer = false, $end = microtime(true) + 60; $answer === false && microtime(true) < $end; usleep(20_000)) {
    $answer = @file_get_contents("http://$address/");
}
echo $answer, "\n";
proc_terminate($server);
proc_close($server);
unlink($script);
?>
--EXPECT--
Rotor\Server::__construct(): a server runs under the CLI only (php script.php), this is cli-server
