//! Which slot is whose: ids count event workers first, then task workers, then user processes.

use rotor_ipc::WorkerId;

/// How many slots of each kind a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Event workers.
    pub workers: usize,
    /// Task workers.
    pub tasks: usize,
    /// User processes.
    pub processes: usize,
}

/// What a slot is for, and its number among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// It runs callbacks for connections.
    EventWorker(usize),
    /// It runs callbacks for tasks.
    TaskWorker(usize),
    /// It runs one callback for as long as that likes.
    UserProcess(usize),
}

/// What the slot of this id is for; `None` where there is no such slot.
pub fn role_of(id: WorkerId, counts: Counts) -> Option<SlotKind> {
    let Counts { workers, tasks, processes } = counts;
    match id.index() {
        id if id < workers => Some(SlotKind::EventWorker(id)),
        id if id < workers + tasks => Some(SlotKind::TaskWorker(id - workers)),
        id if id < workers + tasks + processes => Some(SlotKind::UserProcess(id - workers - tasks)),
        _ => None,
    }
}

impl SlotKind {
    /// How log lines call the process in the slot of this id.
    pub fn who(self, id: WorkerId) -> String {
        match self {
            Self::EventWorker(_) => format!("worker={id}"),
            Self::TaskWorker(_) => format!("task={id}"),
            Self::UserProcess(_) => format!("user={id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_event_workers_then_task_workers_then_user_processes() {
        let counts = Counts { workers: 2, tasks: 3, processes: 2 };
        let kinds: Vec<_> = (0..8).map(|id| role_of(WorkerId(id), counts)).collect();
        assert_eq!(
            kinds,
            [
                Some(SlotKind::EventWorker(0)),
                Some(SlotKind::EventWorker(1)),
                Some(SlotKind::TaskWorker(0)),
                Some(SlotKind::TaskWorker(1)),
                Some(SlotKind::TaskWorker(2)),
                Some(SlotKind::UserProcess(0)),
                Some(SlotKind::UserProcess(1)),
                None,
            ]
        );
        let names: Vec<_> = kinds.iter().zip(0..).filter_map(|(kind, id)| Some((*kind)?.who(WorkerId(id)))).collect();
        assert_eq!(names, ["worker=0", "worker=1", "task=2", "task=3", "task=4", "user=5", "user=6"]);
    }

    #[test]
    fn a_kind_that_is_not_there_takes_no_id() {
        let counts = Counts { workers: 1, tasks: 0, processes: 1 };
        assert_eq!(role_of(WorkerId(1), counts), Some(SlotKind::UserProcess(0)));
        assert_eq!(role_of(WorkerId(2), counts), None);
        assert_eq!(role_of(WorkerId(u32::MAX), counts), None);
    }
}
