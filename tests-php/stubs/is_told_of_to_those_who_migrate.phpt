--TEST--
docs/migration.md tells of each method and property that the extension has, and of no other as being there
--EXTENSIONS--
rotor
--FILE--
<?php
$page = file_get_contents(__DIR__ . '/../../docs/migration.md');
$told = $has = [];
preg_match_all('/^### (.+)\n\n((?:\|.*\n)+)/m', $page, $tables, PREG_SET_ORDER);
foreach ($tables as [, $class, $table]) {
    preg_match_all('/^\| `(?:new |->|::)([\w\\\\]+)((?:\(\))?)` \| (?:same|differs|new) \|/m', $table, $members, PREG_SET_ORDER);
    foreach ($members as [$line, $name, $call]) {
        $told[] = "Rotor\\$class: " . (str_contains($line, '`new ') ? '__construct' : $name) . $call;
    }
}
foreach ((new ReflectionExtension('rotor'))->getClasses() as $class) {
    $members = [...$class->getMethods(ReflectionMethod::IS_PUBLIC), ...$class->getProperties(ReflectionProperty::IS_PUBLIC)];
    foreach ($members as $member) {
        if ($member->class === $class->name) {
            $has[] = "$class->name: $member->name" . ($member instanceof ReflectionMethod ? '()' : '');
        }
    }
}
echo implode("\n", ['only in the extension:', ...array_diff($has, $told), 'only on the page:', ...array_diff($told, $has)]), "\n";
var_dump(count($told) > 80);
?>
--EXPECT--
only in the extension:
only on the page:
bool(true)
