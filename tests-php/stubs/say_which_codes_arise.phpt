--TEST--
The stub says of a code of Rotor\Error that nothing gives it just where that is so
--EXTENSIONS--
rotor
--FILE--
<?php
$root = __DIR__ . '/../..';
preg_match_all('/^    pub const \w+: i32 = (\d+);$/m', file_get_contents("$root/crates/core/src/error.rs"), $given);
$stub = file_get_contents("$root/php-stubs/rotor.stub.php");
preg_match_all('~/\*\*\s((?:(?!\*/).)*)\*/\s+public const (\w+) = (\d+);~s', strstr($stub, "final class Error\n"), $codes, PREG_SET_ORDER);
$all = (new ReflectionClass(Rotor\Error::class))->getConstants();
$told = 0;
foreach ($codes as [, $about, $name, $number]) {
    if (($all[$name] ?? null) === (int) $number) {
        $told++;
        $arises = !str_contains($about, 'Nothing gives it here.');
        $arises === in_array($number, $given[1], true) || print("$name: " . trim($about) . "\n");
    }
}
var_dump($told === count($all));
?>
--EXPECT--
bool(true)
