//! The events that Rotor has. Those of the peer that it does not have are in
//! [`ABSENT_EVENTS`](crate::host::ABSENT_EVENTS).

use super::Fate::{self, Differs, New, Same};
use crate::host::EventKind;

/// What becomes of an event.
pub fn fate(kind: EventKind) -> Fate {
    match kind {
        EventKind::Start | EventKind::ManagerStart | EventKind::ManagerStop | EventKind::BeforeReload => Same,
        EventKind::BeforeShutdown => {
            Differs("Connections are still served, for `shutdown_delay` after it, and messages that came are answered.")
        }
        EventKind::Shutdown => Differs("Also after SIGINT, which is as SIGTERM."),
        EventKind::AfterReload => Differs(
            "A second argument, `bool $success`: false when a successor did not get ready, and the old one serves on.",
        ),
        EventKind::WorkerStart => Differs(
            "In a reload it runs while the old worker still serves: what both cannot have at once, such as a port of \
             their own or a lock, it has to wait for. After an exception the process ends with code 1.",
        ),
        EventKind::WorkerStop | EventKind::BufferFull | EventKind::BufferEmpty => Same,
        EventKind::WorkerExit => {
            Differs("An alarm is all that can be pending: there are no timers and coroutines yet.")
        }
        EventKind::WorkerError => Differs(
            "A sixth argument, `int $fd` (with `event_object` a property): the connection whose message was in the worker's \
             hand, or 0. It tells of user processes as well.",
        ),
        EventKind::Connect => Differs(
            "It comes behind the header of a proxy (`open_proxy_protocol`). For modes in which connections have no worker of \
             their own see `enable_unsafe_event`.",
        ),
        EventKind::Receive => Differs(
            "After an uncaught exception or `exit()` the connection is closed (`close_on_worker_error`, off under Swoole's \
             names); `exit()` ends the worker, which is started again.",
        ),
        EventKind::Packet => Differs(
            "`server_socket` in `$client` is the port's place in `$server->ports`, which `sendto()` takes, and no \
             descriptor.",
        ),
        EventKind::Close => Differs(
            "The reactor id is -1 whenever the server closed, for silence too. It runs behind the last message of its \
             connection, and after the callback that called `close()`, not inside.",
        ),
        EventKind::RequestTimeout => New(
            "`(Server $server, int $workerId, int $fd, float $seconds)`, in the manager: a callback took longer than \
             `request_timeout`; its worker was ended, its connection closed.",
        ),
        EventKind::ProtocolError => New(
            "`(Server $server, int $fd, int $reactorId, int $code, string $reason)`, in the worker: what a client sent was \
             rejected; `onClose` follows.",
        ),
    }
}
