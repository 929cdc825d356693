--TEST--
Rotor's exceptions can be made, extended and chained by scripts
--EXTENSIONS--
rotor
--FILE--
<?php
class Mine extends Rotor\SettingException {}
$mine = new Mine('words', 7, new Rotor\Exception('before'));
echo get_class($mine), ' ', $mine->getMessage(), ' ', $mine->getCode(), ' ', $mine->getPrevious()->getMessage(), "\n";
var_dump($mine instanceof Rotor\Exception, $mine instanceof RuntimeException);
try {
    throw $mine;
} catch (Rotor\Exception $caught) {
    var_dump($caught === $mine, $caught->getLine());
}
?>
--EXPECT--
Mine words 7 before
bool(true)
bool(true)
bool(true)
int(3)
