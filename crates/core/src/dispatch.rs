//! The dispatcher: which worker a message goes to, and which reactor a connection.

use rotor_ipc::{SessionId, WorkerId};

/// The worker of a session: its id modulo their number, for its whole life.
pub fn worker_of(session: SessionId, workers: usize) -> WorkerId {
    WorkerId(u32::try_from(session.0 % workers as u64).unwrap_or(0))
}

/// The reactor of a session: where one number divides the other, it agrees with the worker, so that both can share
/// a CPU and its caches.
pub fn reactor_of(session: SessionId, reactors: usize) -> u16 {
    u16::try_from(session.0 % reactors as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reactor_and_worker_of_a_session_agree_where_one_number_divides_the_other() {
        for id in 1..100 {
            let session = SessionId(id);
            assert_eq!(worker_of(session, 4).0 % 2, u32::from(reactor_of(session, 2)));
            assert_eq!(worker_of(session, 2).0, u32::from(reactor_of(session, 2)));
        }
    }
}
