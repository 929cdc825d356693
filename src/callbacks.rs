//! One callable per event, looked up when it is registered.

use std::cell::RefCell;
use std::rc::Rc;

use ext_php_rs::types::Zval;
use rotor_core::host::{ABSENT_EVENTS, EVENTS, EventKind};

use crate::call::Callable;

/// The callables of a server.
#[derive(Default)]
pub struct Callbacks(RefCell<[Option<Rc<Callable>>; EVENTS.len()]>);

impl Callbacks {
    /// What is registered for `kind`. The caller owns it, so that a callback may replace itself.
    pub fn get(&self, kind: EventKind) -> Option<Rc<Callable>> {
        self.0.borrow()[place(kind)].clone()
    }

    /// Registers a callable in place of what was there before.
    pub fn set(&self, kind: EventKind, callable: Callable) {
        let before = self.0.borrow_mut()[place(kind)].replace(Rc::new(callable));
        // Here, where nothing is borrowed: a destructor of the old callback may call us.
        drop(before);
    }

    /// Whether anything is registered for `kind`.
    pub fn has(&self, kind: EventKind) -> bool {
        self.0.borrow()[place(kind)].is_some()
    }

    /// Forgets what is registered for `kind`.
    pub fn remove(&self, kind: EventKind) {
        let before = self.0.borrow_mut()[place(kind)].take();
        // As in `set`.
        drop(before);
    }

    /// Shows the collector what the registered callables own.
    pub fn visit(&self, visit: &mut dyn FnMut(&Zval)) {
        for callable in self.0.borrow().iter().flatten() {
            callable.visit(visit);
        }
    }
}

/// The event that a script means.
pub fn event_named(name: &[u8]) -> Option<EventKind> {
    EVENTS.iter().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(kind, _)| *kind)
}

/// What scripts call an event.
pub fn name_of(kind: EventKind) -> &'static str {
    EVENTS[place(kind)].1
}

/// What to say about a name that [`event_named`] does not know.
pub fn about_unknown_event(name: &[u8]) -> String {
    let shown: String =
        String::from_utf8_lossy(name).chars().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect();
    if let Some((event, part)) = ABSENT_EVENTS.iter().find(|(event, _)| event.as_bytes().eq_ignore_ascii_case(name)) {
        return format!("event \"{event}\" does not exist yet: Rotor has no {part}");
    }
    match nearest_event(name) {
        Some(nearest) => format!("unknown event \"{shown}\"; did you mean \"{nearest}\"?"),
        None => {
            let known: Vec<&str> = EVENTS.iter().map(|(_, name)| *name).collect();
            format!("unknown event \"{shown}\"; the events are {}", known.join(", "))
        }
    }
}

/// The event whose name is most like `name`, if one is like it.
fn nearest_event(name: &[u8]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    // PHP's other libraries write the "on".
    let bare = name.strip_prefix(b"on").unwrap_or(&name);
    if bare.len() > LONGEST_SHOWN {
        return None;
    }
    let (distance, nearest) = EVENTS
        .iter()
        .map(|(_, known)| (edit_distance(bare, &known.to_ascii_lowercase().into_bytes()), *known))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= nearest.len() / 3).then_some(nearest)
}

/// How many letters must be put in, left out or changed to make `a` into `b`.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            row.push((last[j] + usize::from(letter != other)).min(last[j + 1] + 1).min(row[j] + 1));
        }
        last = row;
    }
    last[b.len()]
}

/// The place of an event in the table.
fn place(kind: EventKind) -> usize {
    match kind {
        EventKind::Start => 0,
        EventKind::BeforeShutdown => 1,
        EventKind::Shutdown => 2,
        EventKind::ManagerStart => 3,
        EventKind::ManagerStop => 4,
        EventKind::BeforeReload => 5,
        EventKind::AfterReload => 6,
        EventKind::WorkerStart => 7,
        EventKind::WorkerStop => 8,
        EventKind::WorkerExit => 9,
        EventKind::WorkerError => 10,
        EventKind::RequestTimeout => 11,
        EventKind::Connect => 12,
        EventKind::Receive => 13,
        EventKind::Packet => 14,
        EventKind::ProtocolError => 15,
        EventKind::Close => 16,
        EventKind::BufferFull => 17,
        EventKind::BufferEmpty => 18,
    }
}

/// Characters of a name that a message shows.
const LONGEST_SHOWN: usize = 60;
