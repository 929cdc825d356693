--TEST--
$setting shows what several calls of set() have said, as each setting's own name and type
--EXTENSIONS--
rotor
--FILE--
<?php
$server = new Rotor\Server('127.0.0.1');
var_dump($server->set(['worker_num' => '2', 'max_conn' => 100, 'package_max_length' => '1M', 'open_tcp_nodelay' => 0]));
var_dump($server->set(['worker_num' => 1, 'cpu_affinity_ignore' => [0], 'max_conn' => null]));
var_dump($server->setting);
$server->setting['own'] = 1;
$server->set(['worker_num' => null]);
echo implode(' ', array_keys($server->setting)), "\n";
$server->setting = 'nonsense';
$server->set([]);
echo implode(' ', array_keys($server->setting)), "\n";
?>
--EXPECT--
bool(true)
bool(true)
array(4) {
  ["worker_num"]=>
  int(1)
  ["package_max_length"]=>
  int(1048576)
  ["open_tcp_nodelay"]=>
  bool(false)
  ["cpu_affinity_ignore"]=>
  array(1) {
    [0]=>
    int(0)
  }
}
package_max_length open_tcp_nodelay cpu_affinity_ignore own
package_max_length open_tcp_nodelay cpu_affinity_ignore
