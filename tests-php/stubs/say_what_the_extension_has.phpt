--TEST--
The stub and the extension declare the same, both ways, and all of it has a docblock
--EXTENSIONS--
rotor
--FILE--
<?php
require __DIR__ . '/signatures.inc';

$stub = stub_signatures(__DIR__ . '/../../php-stubs/rotor.stub.php');
$classes = [];
foreach ((new ReflectionExtension('rotor'))->getClasses() as $class) {
    $classes[$class->name] = class_signature($class);
}
ksort($classes);
var_dump(same($stub['classes'], $classes, 'classes'), count($classes));
var_dump(same($stub['functions'], array_map(function_signature(...), (new ReflectionExtension('rotor'))->getFunctions()), 'functions'));
var_dump(same($stub['constants'], (new ReflectionExtension('rotor'))->getConstants(), 'constants'));
var_dump($stub['undocumented']);
?>
--EXPECT--
bool(true)
int(10)
bool(true)
bool(true)
array(0) {
}
