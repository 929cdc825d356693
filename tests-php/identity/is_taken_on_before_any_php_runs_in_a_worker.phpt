--TEST--
user and group hold in each worker and user process from the first line of PHP on, also in one that was respawned or reloaded; master and manager stay root
--EXTENSIONS--
rotor
posix
pcntl
--SKIPIF--
<?php
posix_getuid() === 0 || print('skip needs root');
?>
--FILE--
<?php
require __DIR__ . '/../inc/server.inc.php';

$script = <<<'PHP'
    // What workers tell goes into a directory of root's.
    touch(getenv('ROTOR_NOTES'));
    chmod(getenv('ROTOR_NOTES'), 0666);
    mkdir($made = getenv('ROTOR_TMP') . '/made');
    chmod($made, 0777);
    function who(): string
    {
        $groups = posix_getgroups();
        sort($groups);
        return posix_getuid() . '/' . posix_geteuid() . ' ' . posix_getgid() . '/' . posix_getegid() . ' ' . implode(',', $groups);
    }
    $server = new Rotor\Server('127.0.0.1', (int) getenv('ROTOR_PORT'));
    $server->set(['worker_num' => 2, 'log_file' => getenv('ROTOR_LOG')] + json_decode($argv[1], true));
    $server->addProcess(new Rotor\Process(function () {
        note('process ' . who());
        sleep(3600);
    }));
    $server->on('start', fn () => note('master ' . who()));
    $server->on('managerStart', fn () => note('manager ' . who()));
    $server->on('workerStart', function ($server, $id) use ($made) {
        touch("$made/" . getmypid());
        note("worker $id " . getmypid() . ' ' . who());
    });
    $server->on('workerStop', fn ($server, $id) => note("stop $id " . who()));
    $server->on('afterReload', fn ($server, $success) => note('reloaded ' . json_encode($success)));
    $server->on('receive', fn ($server, $fd) => $server->send($fd, who() . "\n"));
    $server->start();
    PHP;

/** @return list<string> who the workers were that have started, and the owner of the file that each has made */
function workers(TestServer $server, int $starts): array
{
    $server->waitFor(fn () => count(preg_grep('/^worker /', $server->notes())) === $starts, "$starts workers");
    $seen = [];
    foreach (preg_filter('/^worker \d+ /', '', $server->notes()) as $note) {
        [$pid, $who] = explode(' ', $note, 2);
        clearstatcache();
        $seen[] = "$who, files of " . fileowner("$server->tmp/made/$pid") . ' ' . filegroup("$server->tmp/made/$pid");
    }
    return array_values(array_unique($seen));
}

function ask(TestServer $server): string
{
    $client = $server->connect();
    $client->write('who?');
    return $client->readLine();
}

$user = posix_getpwnam('nobody');
$group = posix_getgrnam('daemon');
// The server is started with groups of its own, and where the test may mount, nobody is a member of two more.
$prefix = ['setpriv', '--groups', '0,4,20'];
$more = [];
exec('unshare -m true 2>/dev/null', result_code: $refused);
if ($refused === 0) {
    $more = [4242, 4243];
    $file = tempnam(sys_get_temp_dir(), 'group');
    file_put_contents($file, file_get_contents('/etc/group') . "rotor-a:x:4242:nobody\nrotor-b:x:4243:daemon,nobody\n");
    chmod($file, 0644);
    array_unshift($prefix, 'unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/group && exec "$@"', $file);
}
foreach ([['user' => 'nobody'], ['user' => 'nobody', 'group' => 'daemon'], ['group' => (string) $group['gid']]] as $settings) {
    $uid = isset($settings['user']) ? $user['uid'] : 0;
    $gid = isset($settings['group']) ? $group['gid'] : $user['gid'];
    $groups = $uid === 0 ? [$gid] : [$gid, ...$more];
    sort($groups);
    $expected = "$uid/$uid $gid/$gid " . implode(',', $groups);

    $server = TestServer::start($script, args: [json_encode($settings)], prefix: $prefix);
    $server->expectFile('made');
    echo json_encode($settings), "\n";
    $as = fn ($seen) => $seen === ["$expected, files of $uid $gid"] ? 'as told' : json_encode([$expected, $seen]);
    echo '  at its start: ', $as(workers($server, 2)), "\n";
    echo '  in a callback: ', ask($server) === $expected ? 'as told' : ask($server), "\n";
    $server->waitForNote("process $expected");
    $server->signal(SIGUSR1);
    $server->waitForNote('reloaded true');
    echo '  after a reload: ', $as(workers($server, 4)), "\n";
    [$pid] = sscanf(array_values(preg_grep('/^worker 1 /', $server->notes()))[1], 'worker 1 %d');
    $server->expectLog("/ error worker=1 pid=$pid: killed by SIGKILL/");
    $server->signal(SIGKILL, $pid);
    echo '  respawned: ', $as(workers($server, 5)), "\n";
    echo '  in a callback: ', ask($server) === $expected ? 'as told' : ask($server), "\n";
    $server->stop();
    $own = fn ($note) => preg_replace_callback('#\d+/\d+ .*#', fn ($as) => $as[0] === '0/0 0/0 0,4,20' ? 'as it was' : $as[0], $note);
    $owners = array_map($own, preg_grep('/^(master|manager)/', $server->notes()));
    sort($owners);
    echo '  ', implode(', ', $owners), "\n";
    $stops = preg_grep('/^stop/', $server->notes());
    echo '  at the end: ', count($stops), ', ', count(preg_grep("#^stop \d $expected\$#", $stops)), " as told\n";
}
isset($file) && unlink($file);
?>
--EXPECT--
{"user":"nobody"}
  at its start: as told
  in a callback: as told
  after a reload: as told
  respawned: as told
  in a callback: as told
  manager as it was, master as it was
  at the end: 4, 4 as told
{"user":"nobody","group":"daemon"}
  at its start: as told
  in a callback: as told
  after a reload: as told
  respawned: as told
  in a callback: as told
  manager as it was, master as it was
  at the end: 4, 4 as told
{"group":"1"}
  at its start: as told
  in a callback: as told
  after a reload: as told
  respawned: as told
  in a callback: as told
  manager as it was, master as it was
  at the end: 4, 4 as told
