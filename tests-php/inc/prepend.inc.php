<?php

/**
 * Runs before each server script of a test: what the script tells its test, from any of its processes.
 *
 * A script finds its surroundings in the environment: ROTOR_PORT (a free port number), ROTOR_TMP (a directory that
 * must be empty in the end: task_tmpdir, sockets, pid file), ROTOR_LOG (for log_file; read beside the output).
 */

declare(strict_types=1);

/** Adds a line to what the test reads as `notes()`; whole and in order, whichever process says it. */
function note(string $line): void
{
    file_put_contents((string) getenv('ROTOR_NOTES'), "$line\n", FILE_APPEND);
}

/** Ends the test's wait for the server. Needed only where nothing listens on ROTOR_PORT. */
function ready(): void
{
    touch((string) getenv('ROTOR_READY'));
}
