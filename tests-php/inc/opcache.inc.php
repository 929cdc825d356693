<?php

declare(strict_types=1);

/** The ways in which opcache may hold on to old code, as settings of PHP for a server. */
const OPCACHES = [
    'none' => [],
    'timestamps' => ['opcache.validate_timestamps' => '1'],
    'no timestamps' => ['opcache.validate_timestamps' => '0'],
    'jit' => ['opcache.validate_timestamps' => '0', 'opcache.jit' => 'tracing', 'opcache.jit_buffer_size' => '16M'],
];

/**
 * @param array<string, string> $settings
 * @return array<string, string>
 */
function withOpcache(array $settings): array
{
    return $settings + ['zend_extension' => 'opcache', 'opcache.enable' => '1', 'opcache.enable_cli' => '1'];
}

/** For a server script: what tells whether opcache works in this process, and keeps what is loaded. */
const OPCACHE_STATUS = <<<'PHP'
    function opcacheStatus(): ?array
    {
        $status = function_exists('opcache_get_status') ? opcache_get_status() : false;
        return $status === false ? null : [
            'enabled' => $status['opcache_enabled'],
            'restart' => $status['restart_pending'] || $status['restart_in_progress'],
            'full' => $status['cache_full'],
            'wasted' => $status['memory_usage']['wasted_memory'],
            'hits' => $status['opcache_statistics']['hits'],
            'scripts' => array_map(fn ($script) => $script['hits'], $status['scripts'] ?? []),
        ];
    }

    PHP;
